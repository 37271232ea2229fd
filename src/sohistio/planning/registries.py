"""Registries, asked with this user's own logins."""

from __future__ import annotations

import os
from pathlib import Path

from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.logins import login_of_files, login_of_variables
from sohistio.adapters.releases.downloads import Patience
from sohistio.images.targets import registry_of
from sohistio.planning.session import Session


def own_registry(session: Session, place: str, patience: Patience | None = None) -> Registry:
    """The registry of a place such as `dtr.metlife.com/istio`; the variables' login is for that of istio.hub.

    Raises RefusedError where a login cannot be read.
    """
    host = registry_of(place)
    own = login_of_variables(os.environ) if host == registry_of(session.environment.istio.hub) else None
    return Registry(host, own or login_of_files(place, os.environ, Path.home()), session.say, patience)
