"""A rollout for whose next pod no node has room: one old pod goes first then, and makes room for it."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.trouble import has_no_room
from sohistio.model.state import ObjectRef
from sohistio.run.wait import Waiting

# A pod that ends just now may leave room; a node that an autoscaler adds takes minutes.
_NO_ROOM_SECONDS = 10.0
_BETWEEN_SECONDS = 2.0
_LAST_SECONDS = 5.0
_FEWEST = 2
_NONE = (0, "0", "0%")


class Room:
    """A context manager around one Deployment's rollout. At its end the Deployment's strategy is as it was."""

    def __init__(self, waiting: Waiting, ref: ObjectRef) -> None:
        self._waiting = waiting
        self._ref = ref
        self._without_since: float | None = None
        self._next_look = 0.0
        self._before: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is None or not self._waiting.hold.is_confirmed:
            return
        try:
            self._waiting.brief(_LAST_SECONDS).merge_patch(path_of(self._ref), _unavailable(self._before))
        except KubeError as failed:  # the next install puts it right: it differs from the manifest
            self._waiting.observer.note(f"{self._ref.short}: maxUnavailable is still 1: {failed.what}")

    @property
    def is_made(self) -> bool:
        """Whether one pod goes first."""
        return self._before is not None

    def look(self) -> None:
        """Call it at each poll: after ten seconds without room, one of at least two ready pods may go first."""
        now = self._waiting.now()
        if self._before is not None or now < self._next_look:
            return
        self._next_look = now + _BETWEEN_SECONDS
        api, item = self._waiting.api, self._waiting.api.get(path_of(self._ref))
        if item is None or not has_no_room(api, self._ref.namespace, item):
            self._without_since = None
            return
        self._without_since = self._without_since or now
        ready = int((item.get("status") or {}).get("readyReplicas", 0))
        if now - self._without_since < _NO_ROOM_SECONDS or ready < _FEWEST:
            return
        before = ((item["spec"].get("strategy") or {}).get("rollingUpdate") or {}).get("maxUnavailable", 0)
        if before not in _NONE:
            return
        self._before = before
        self._waiting.observer.note(
            f"{self._ref.short}: no node has room for one pod more, so one of its {ready} pods goes first"
        )
        api.merge_patch(path_of(self._ref), _unavailable(1))


def _unavailable(pods: Any) -> dict[str, Any]:
    return {"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": pods}}}}
