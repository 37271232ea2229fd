"""Asks Prometheus how the gateways' requests end while traffic is watched, in a thread of its own: it may be slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sohistio.errors import SohistioError
from sohistio.model.health import ServedRequests

LOOK_SECONDS = 10.0
"""Between two questions: about as often as Prometheus scrapes."""
_STALE_SECONDS = 4 * LOOK_SECONDS
_FEWEST_A_SECOND = 1.0
"""Of fewer requests, one that fails is no share to go by."""

Look = Callable[[], ServedRequests | None]


class TrafficLooks:
    """A context manager. `look` gives what Prometheus has of the last minute, None where it has nothing."""

    def __init__(self, look: Look | None) -> None:
        self._look = look
        self._found: ServedRequests | None = None
        self._worst = 0.0
        self._trouble = "Prometheus has not answered yet"
        self._answered = -_STALE_SECONDS
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="traffic looks", daemon=True)

    def __enter__(self) -> Self:
        if self._look is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()  # a question that hangs is not waited for

    @property
    def served(self) -> ServedRequests | None:
        """The newest answer, with the worst share since the watch began; None where there is none yet."""
        found = self._found
        return None if found is None else ServedRequests(found.per_second, found.failed_share, self._worst)

    @property
    def trouble(self) -> str:
        """Why there is no answer of late; empty where there is one, or nobody is asked."""
        if self._look is None or time.monotonic() - self._answered < _STALE_SECONDS:
            return ""
        return self._trouble or "Prometheus has no requests of these gateways"

    def _sample(self) -> None:
        assert self._look is not None  # noqa: S101 (the thread is started with it only)  # nosec B101
        while not self._stop.is_set():
            try:
                if found := self._look():
                    self._found, self._answered = found, time.monotonic()
                    if found.per_second >= _FEWEST_A_SECOND:
                        self._worst = max(self._worst, found.failed_share)
                self._trouble = ""
            except SohistioError as error:
                self._trouble = ": ".join((error.what, *error.details))
            self._stop.wait(LOOK_SECONDS)
