"""Ctrl-C and SIGTERM where nothing is being carried out (a run has handlers of its own): they end the program.

Libraries that take whatever is raised for a failed login (azure-identity's `az`, kubernetes' login commands) do not
hide it: that it came is noted.
"""

from __future__ import annotations

import signal
from types import FrameType

from sohistio.errors import InterruptedRunError

_came: list[InterruptedRunError] = []


def interrupt(number: int, _frame: FrameType | None) -> None:
    """A handler for signals; raises InterruptedRunError."""
    error = InterruptedRunError(f"interrupted by {signal.Signals(number).name}", todo="Run it again whenever you like.")
    _came.append(error)
    raise error


def came() -> InterruptedRunError | None:
    """The interruption, where there was one: what went wrong after it is of no interest."""
    return _came[0] if _came else None
