"""The first word with a cluster: whoever waits for a kubeconfig's login command is told so."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.model.kube_target import Bearer, KubeTarget
from sohistio.system.slow import when_slow


def logged_in(target: KubeTarget, tokens: Bearer | None, say: Callable[[str], None]) -> KubeApi:
    """The API of the target, asked with these tokens; without them the kubeconfig's user has its own login."""
    import_module("sohistio.adapters.kubernetes.library")  # half a second that is no waiting for anybody
    with when_slow(lambda: say(f"waiting for the login of context {target.context}")):
        return KubeApi(target, tokens)
