"""What clusters are asked with, imported before several of them are asked at once.

Libraries are imported late, as they take half a second. Two threads that import at the same time may see half of one
(Python breaks a deadlock of its import locks so): "cannot import name … (most likely due to a circular import)".
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from sohistio.errors import SohistioError
from sohistio.planning.session import Session

_FOR_ALL = (
    "sohistio.adapters.kubernetes.api",
    "sohistio.adapters.kubernetes.library",
    "sohistio.adapters.kubernetes.private_kubeconfig",
    "sohistio.adapters.kubernetes.snapshot",
    "sohistio.adapters.releases.library",
)
_FOR_AKS = "sohistio.adapters.azure.library"


def load_libraries(sessions: Iterable[Session]) -> None:
    """Import what these sessions need; call it before their threads start."""
    for name in _FOR_ALL:
        import_module(name)
    if any(map(_asks_azure, sessions)):
        import_module(_FOR_AKS)


def _asks_azure(session: Session) -> bool:
    try:
        return session.aks is not None
    except SohistioError:  # it is told where the environment is looked at
        return False
