"""A run's hold on the lock: whether it may write now. Data and a clock; who renews the lock is in lease.py.

Another run may take the lock LEASE_SECONDS after the last renewal. So writing stops STOP_SECONDS after the last one
that was confirmed, counted from before it was sent; what is under way by then (a request, istioctl) has ended by
ENDED_SECONDS. This depends on nobody's answer: not on the API server's, nor on that of who gives tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sohistio.adapters.kubernetes.errors import KubeError
from sohistio.adapters.kubernetes.requests import Request
from sohistio.system.machine import clock

# A dead run's lock is free after this long. A live one renews it six times in that span.
LEASE_SECONDS = 30.0
RENEW_SECONDS = 5.0
STOP_SECONDS = 20.0
TOOL_GRACE_SECONDS = 5.0
ENDED_SECONDS = 27.0
_TICK_SECONDS = 0.1


class NotConfirmedError(KubeError):
    """Nothing may be written now."""


class _Ending:
    """Something that must end where the lock is not confirmed; `asked` is set once that was asked of it."""

    def __init__(self, end: Callable[[float], None]) -> None:
        self.asked = threading.Event()
        self._end = end

    def begin(self) -> None:
        if not self.asked.is_set():
            self.asked.set()
            threading.Thread(target=self._end, args=(TOOL_GRACE_SECONDS,), name="end the tool", daemon=True).start()


class Hold:
    """One run's hold, and the least say it has in requests (`Conduct`): no write while it is not confirmed.

    Safe to use from several threads. Losing it sets `stop` too: the run has to end.
    """

    def __init__(self, stop: threading.Event, now: Callable[[], float] = clock) -> None:
        self.lost = threading.Event()
        self.stop = stop
        self._now = now
        self._confirmed = self._counted = now()
        self._stopped = 0.0
        self._lock = threading.Lock()
        self._endings: list[_Ending] = []

    def confirm(self, asked: float) -> None:
        """This run holds the lock: a renewal that was sent after this moment of `now` succeeded."""
        with self._lock:
            self._stopped += self._stopped_since()
            self._confirmed, self._counted = asked, self._now()

    def keep(self) -> None:
        """Nobody can take it any more: it goes with its namespace."""
        self.confirm(float("inf"))

    def lose(self) -> None:
        """It is somebody else's, or was taken away."""
        self.lost.set()
        self.stop.set()
        self._end_all()

    @property
    def is_confirmed(self) -> bool:
        """Whether writing may go on."""
        return not self.lost.is_set() and self._now() - self._confirmed < STOP_SECONDS

    def stopped_seconds(self) -> float:
        """For how long, in all, the run could not write: waits do not count it."""
        with self._lock:
            return self._stopped + self._stopped_since()

    def _stopped_since(self) -> float:
        return max(0.0, self._now() - max(self._confirmed + STOP_SECONDS, self._counted))

    def write_seconds(self) -> float:
        """Within how many seconds a write that begins now must have ended. Raises NotConfirmedError where none may."""
        if not self.is_confirmed:
            raise NotConfirmedError("the lock is not confirmed: nothing is written", 0)
        return self._confirmed + ENDED_SECONDS - self._now()

    def seconds_for(self, request: Request) -> float:
        """As `Conduct` has it. Raises NotConfirmedError."""
        return self.write_seconds() if request.writes else float("inf")

    def answered(self) -> None:
        """As `Conduct` has it."""

    def read_failed(self, error: KubeError) -> None:
        """As `Conduct` has it: no patience here."""
        raise error

    @contextmanager
    def ending(self, end: Callable[[float], None]) -> Iterator[threading.Event]:
        """Within the block, `end` is called (seconds of grace; from another thread) as soon as writing has to stop.

        The event is set when that has happened.
        """
        mine = _Ending(end)
        with self._lock:
            self._endings.append(mine)
        try:
            if not self.is_confirmed:
                mine.begin()
            yield mine.asked
        finally:
            with self._lock:
                self._endings.remove(mine)

    def watch(self, done: threading.Event) -> None:
        """The watchdog, for a thread of its own: asks nobody anything, so that nothing holds it up."""
        while not done.wait(_TICK_SECONDS):
            if not self.is_confirmed:
                self._end_all()

    def _end_all(self) -> None:
        with self._lock:
            endings = list(self._endings)
        for ending in endings:
            ending.begin()
