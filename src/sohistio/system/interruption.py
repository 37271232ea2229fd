"""Ctrl-C, SIGTERM and SIGHUP: where nothing is being carried out they end the program, in a run they ask it to end.

Libraries that take whatever is raised for a failed login (azure-identity's `az`, kubernetes' login commands) do not
hide it: that it came is noted.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from sohistio.errors import InterruptedRunError

_came: list[InterruptedRunError] = []


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that ask a program to end. A SIGHUP that is ignored stays so: that is what `nohup` is for."""
    asked = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asked.append(signal.SIGHUP)
    return tuple(asked)


def interrupt(number: int, _frame: FrameType | None) -> None:
    """A handler for signals; raises InterruptedRunError."""
    error = InterruptedRunError(f"interrupted by {signal.Signals(number).name}", todo="Run it again whenever you like.")
    _came.append(error)
    raise error


def came() -> InterruptedRunError | None:
    """The interruption, where there was one: what went wrong after it is of no interest."""
    return _came[0] if _came else None


@contextmanager
def stop_event() -> Iterator[threading.Event]:
    """Within the block, Ctrl-C, SIGTERM and SIGHUP set the event instead of tearing apart what is under way."""
    stop = threading.Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, set_stop) for number in stop_signals()}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ending_at_once(what: str) -> Iterator[None]:
    """While somebody is asked, Ctrl-C ends the question at once: there is nothing under way to stop cleanly.

    Raises InterruptedRunError that says `what`.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        raise InterruptedRunError(what, todo="Nothing was changed.")

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
