"""Ctrl-C, SIGTERM and SIGHUP where nothing is being carried out (a run has handlers of its own): they end the program.

Libraries that take whatever is raised for a failed login (azure-identity's `az`, kubernetes' login commands) do not
hide it: that it came is noted.
"""

from __future__ import annotations

import signal
import sys
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
