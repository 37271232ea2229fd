"""Notices, while a run works, that the API server does not answer, and says so once; and once more when it does."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from sohistio.run.progress import Observer

# Longer than any answer to a small question takes from a server that is well.
SILENT_SECONDS = 1.5
_TICK_SECONDS = 0.25


class Outage:
    """A context manager; hears of each question and each answer, from any thread."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._lock = threading.Lock()
        self._since: float | None = None
        self._said = False
        self._last = -1.0
        self._done = threading.Event()
        # A question that hangs tells nothing by itself: somebody else has to look at the clock.
        self._thread = threading.Thread(target=self._watch, name="outage", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def asked(self) -> None:
        """A question is sent that the server has nothing to think about for."""
        with self._lock:
            self._since = self._since or time.monotonic()

    def noticed(self) -> None:
        """A question was answered by nobody, or by a server in trouble."""
        self._last = time.monotonic()

    def answered(self) -> None:
        """The server answered."""
        with self._lock:
            since, said = self._since, self._said
            self._since, self._said = None, False
        if since is not None and said:
            self._last = time.monotonic()
            self._observer.note(f"the API server answers again, after {self._last - since:.0f} s: going on")

    def seconds(self) -> float:
        """For how long it has not answered; 0 where it is well."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def was_since(self, moment: float) -> bool:
        """Whether the server did not answer for a while at any time after `moment` (monotonic seconds)."""
        return self._said or self._last > moment

    def _watch(self) -> None:
        while not self._done.wait(_TICK_SECONDS):
            with self._lock:
                begins = not self._said and self.seconds() > SILENT_SECONDS
                self._said = self._said or begins
            if begins:
                self._observer.note("the API server does not answer: waiting for it")
