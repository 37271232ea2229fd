"""A child process in a group of its own: Ctrl-C does not reach it by itself, and it is ended as a whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import Any, TypedDict


class OwnGroup(TypedDict):
    """What Popen takes for it."""

    start_new_session: bool
    creationflags: int


OWN_GROUP = OwnGroup(
    start_new_session=sys.platform != "win32",
    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Windows; elsewhere the new session does it
)


def end_group(process: subprocess.Popen[Any], grace: float, asked: signal.Signals = signal.SIGINT) -> None:
    """End it and what it started: `asked`, and SIGKILL after `grace` seconds. Nothing happens if it has ended."""
    if process.poll() is not None:
        return
    _signal(process, asked)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        _signal(process, None)
        process.wait()


def _signal(process: subprocess.Popen[Any], asked: signal.Signals | None) -> None:
    """None kills it."""
    if sys.platform == "win32":
        process.send_signal(signal.CTRL_BREAK_EVENT) if asked else process.kill()
    else:
        # The group has the number of its first process, which is not reaped yet: no other group can have it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, asked or signal.SIGKILL)
