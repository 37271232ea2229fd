"""Registries, asked with this user's own logins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.logins import login_of_files, login_of_variables
from sohistio.adapters.releases.downloads import Patience
from sohistio.errors import RefusedError
from sohistio.images.pulls import is_on_this_machine
from sohistio.images.targets import monitoring_image, registry_of, source_of
from sohistio.model.image import Image
from sohistio.planning.session import Session
from sohistio.system.parallel import side_by_side
from sohistio.system.paths import expanded

PATIENCE = Patience(attempts=2, longest_wait=5.0, connect=5.0, silence=10.0)
"""A check does not wait for a registry in trouble as a mirroring does."""

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Sources:
    """The registries that images are published in: `main`, which images.source names (or a bundle, which has all), and
    `others`, by their names.
    """

    main: Registry
    others: Mapping[str, Registry] = field(default_factory=dict)

    def of(self, image: Image) -> Registry:
        """The one that has an image."""
        return self.others.get(image.registry, self.main)

    @property
    def all(self) -> tuple[Registry, ...]:
        """Each of them."""
        return (self.main, *self.others.values())

    def give_up(self) -> None:
        """End every wait between attempts and for answers, in all threads."""
        for registry in self.all:
            registry.give_up()


@contextmanager
def own_sources(session: Session) -> Iterator[Sources]:
    """Where this environment's images are published, each registry with this user's login. Raises RefusedError."""
    environment = session.environment
    hub, source = environment.istio.hub, environment.images.source
    with ExitStack() as stack:
        main = stack.enter_context(own_registry(session, source))
        parts = environment.monitoring.data().parts
        published = [source_of(monitoring_image(part, hub, source), hub, source) for part in parts]
        names = sorted({image.registry for image in published if image} - {main.host})
        yield Sources(main, {name: stack.enter_context(own_registry(session, name)) for name in names})


@contextmanager
def registries_of(session: Session, images: Sequence[Image], patience: Patience) -> Iterator[Mapping[str, Registry]]:
    """The registries of images, by their names, each with this user's login, where it can be read.

    A sandbox pulls nothing, so no registry is asked there, unless it is on this machine.
    """
    with ExitStack() as stack:
        found: dict[str, Registry] = {}
        for image in images:
            if image.registry in found or (session.sandbox and not is_on_this_machine(image.registry)):
                continue
            try:
                registry = own_registry(session, image.repository, patience)
            except RefusedError as error:
                session.say(f"{error.what}: {image.registry} is not asked")
                continue
            found[image.registry] = stack.enter_context(registry)
        yield found


def ask_each(
    registries: Mapping[Any, Registry], ask: Callable[[_Item], _Answer], items: Iterable[_Item]
) -> list[_Answer]:
    """Ask for each item, several at a time, the answers in the items' order: an interruption ends every wait."""

    def give_up() -> None:
        for registry in registries.values():
            registry.give_up()

    return side_by_side(ask, items, interrupted=give_up)


def own_registry(session: Session, place: str, patience: Patience | None = None) -> Registry:
    """The registry of a place such as `dtr.metlife.com/istio`; the variables' login is for that of istio.hub.

    Raises RefusedError where a login cannot be read.
    """
    host = registry_of(place)
    own = login_of_variables(os.environ) if host == registry_of(session.environment.istio.hub) else None
    return Registry(host, own or login_of_files(place, os.environ, expanded("~")), session.say, patience)
