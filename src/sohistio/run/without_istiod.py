"""While no istiod is ready no restart begins: its webhook would refuse the pods that replace the old ones."""

from __future__ import annotations

from collections.abc import Callable

from sohistio.errors import FailedError


class WithoutIstiod:
    """How long there has been none. `say` hears of it, `now` is the run's working time."""

    def __init__(self, say: Callable[[str], None], now: Callable[[], float], most_seconds: float) -> None:
        self._say = say
        self._now = now
        self._most_seconds = most_seconds
        self._since = 0.0

    def may_begin(self, ready: int, flying: int, queued: int) -> bool:
        """Whether another restart may, with so many istiods ready, restarts in flight and others to go.

        Raises FailedError where there has been no istiod for as long as a restart may take.
        """
        if ready:
            self._since = 0.0
            return True
        self._say("no istiod is ready: no other restart begins until one is")
        self._since = self._since or self._now()
        if not flying and self._now() - self._since > self._most_seconds:
            raise FailedError(
                f"no istiod has been ready for {self._most_seconds:.0f} s; {queued} workloads were not restarted",
                todo="Look at istiod (`sohistio check`), then run the same command again.",
            )
        return False
