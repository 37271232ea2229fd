"""The last moment of the process: its exit code is the one that was told, whatever still comes or still works.

Requests that hang are left to threads that nobody waits for. The interpreter would end the process by C's `exit`,
where OpenSSL frees what those threads are just using: now and then that is a segmentation fault, and its exit code.
"""

from __future__ import annotations

import atexit
import os
import signal

_told: list[int] = []


def watch_the_end() -> None:
    """Before anything is imported that has work for the end: what is registered first is called last."""
    atexit.register(_leave)


def ends_with(code: object) -> None:
    """All is told, and this is SystemExit's code. Once all threads but daemons have ended, signals change nothing."""
    _told.append(code if isinstance(code, int) else int(code is not None))
    atexit.register(_ignore_signals)  # the last one is called first


def _ignore_signals() -> None:
    from sohistio.system.interruption import stop_signals

    for number in stop_signals():
        signal.signal(number, signal.SIG_IGN)


def _leave() -> None:
    if _told:
        os._exit(_told[-1])
