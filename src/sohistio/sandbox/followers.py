"""What keeps the cluster as a real one would be, beside Kubernetes: it looks as soon as something changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from threading import Event
from typing import Protocol

from sohistio.errors import FailedError
from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError
from sohistio.sandbox.istiod import NAMESPACE, IstiodFollower
from sohistio.sandbox.traffic.watched import Watched

# What they go by. Lists read twice a second were half of what an idle sandbox cost.
_WATCHED: Mapping[str, Mapping[str, str]] = {
    "/api/v1/services": {},
    "/api/v1/persistentvolumeclaims": {},
    f"/api/v1/namespaces/{NAMESPACE}/pods": {"labelSelector": "app=istiod"},
}
_LONGEST_SECONDS = 10.0


class Follower(Protocol):
    """One of them."""

    def follow(self) -> None:
        """Look, and do what is to be done. Raises ClusterApiError, FailedError."""


class Followers:
    """All of them. They look when what is watched changed, while istiod is on its way, and now and then."""

    def __init__(self, api: ClusterApi, istiod: IstiodFollower, others: Sequence[Follower]) -> None:
        self._istiod = istiod
        self._all: Sequence[Follower] = (istiod, *others)
        self._troubles = ["" for _ in self._all]
        self._changed = Event()
        self._looked = 0.0
        self._watches = [Watched(api, path, self._changed.set, **asked) for path, asked in _WATCHED.items()]
        for watch in self._watches:
            watch.start()

    def look(self) -> None:
        """Have each of them look, where that is due. What goes wrong is printed once, and tried again."""
        now = time.monotonic()
        quiet = not (self._changed.is_set() or self._istiod.is_unsettled() or any(self._troubles))
        if quiet and now - self._looked < _LONGEST_SECONDS:
            return
        self._changed.clear()
        self._looked = now
        self._troubles = [_followed(each, last) for each, last in zip(self._all, self._troubles, strict=True)]

    def stop(self) -> None:
        """Watch no more."""
        for watch in self._watches:
            watch.stop()


def _followed(follower: Follower, last: str) -> str:
    try:
        follower.follow()
    except (ClusterApiError, FailedError) as error:
        if error.what != last:
            print(error.what, flush=True)
        return error.what
    return ""
