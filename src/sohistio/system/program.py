"""A program of the user, such as a hook: run without a shell, with few variables, bounded in time, its output kept."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from sohistio.errors import FailedError, InterruptedRunError, RefusedError
from sohistio.system.lifeline import tied_to_us
from sohistio.system.paths import expanded
from sohistio.system.process_group import OWN_GROUP, end_group
from sohistio.system.sanitize import inert, one_line

# What programs need to start and to find their own files. No credentials: what a program needs it reads by itself.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "PATHEXT", "USERPROFILE")
_KEPT_LINES = 12
_KEPT_BYTES = 16_384
_POLL_SECONDS = 0.05
_GRACE_SECONDS = 3.0


def program_path(argv: Sequence[str], folder: Path) -> Path:
    """The program that `argv` names: a path, from `folder` where it is relative, or a name that is looked up in PATH.

    Raises RefusedError where there is none, or where this user lacks permission to run it.
    """
    name = argv[0]
    todo = f"A path is relative to {folder}, where it has a slash; without one it is looked up in PATH."
    if "/" not in name and os.sep not in name:
        found = shutil.which(name)
        if found is None:
            raise RefusedError(f"there is no program {name} in PATH", todo=todo)
        return Path(found)
    path = folder / expanded(name)
    if not path.is_file():
        raise RefusedError(f"there is no program {path}", todo=todo)
    if not os.access(path, os.X_OK):
        raise RefusedError(f"{path} is not executable", todo=f"Run: chmod +x {path}")
    return path


def run_program(
    argv: Sequence[str], folder: Path, *, variables: Mapping[str, str], seconds: float, stop: threading.Event
) -> tuple[str, ...]:
    """Run a program in `folder`; returns the last lines that it printed, made harmless.

    It gets `variables` and a small base (PATH, HOME, the locale), no standard input, and a process group of its own,
    which is ended as a whole at the end of its time. Raises RefusedError where it cannot be started, FailedError with
    its last lines where it fails or does not end within `seconds`, InterruptedRunError once `stop` is set.
    """
    command = (str(program_path(argv, folder)), *argv[1:])
    base = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                tied_to_us(command),
                cwd=folder,
                env=base | dict(variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **OWN_GROUP,
            )
        except OSError as error:
            todo = "Check its first line (#!) and its permissions."
            raise RefusedError(f"{argv[0]} could not be started", details=(str(error),), todo=todo) from error
        try:
            code = _wait(process, seconds, stop)
        finally:
            end_group(process, _GRACE_SECONDS, signal.SIGTERM)
        lines = _last_lines(output)
    if code == 0:
        return lines
    if code is not None:
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise FailedError(f"{argv[0]} failed ({how})", details=lines, todo="Its own last lines say why.")
    if stop.is_set():
        todo = "It was ended; what it had done by then stays."
        raise InterruptedRunError(f"interrupted while {argv[0]} ran", details=lines, todo=todo)
    raise FailedError(
        f"{argv[0]} did not end within {seconds:.0f} s",
        details=lines,
        todo="It was ended. Give it more time (timeout) if that is all that it needs.",
    )


def _wait(process: subprocess.Popen[bytes], seconds: float, stop: threading.Event) -> int | None:
    """The exit code; None where the time is over or `stop` is set."""
    end = time.monotonic() + seconds
    while (code := process.poll()) is None and time.monotonic() < end:
        if stop.wait(_POLL_SECONDS):
            return process.poll()
    return code


def _last_lines(output: IO[bytes]) -> tuple[str, ...]:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _KEPT_BYTES))
    text = output.read(_KEPT_BYTES).decode("utf-8", "replace")
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    return tuple(inert(one_line(line)) for line in lines[-_KEPT_LINES:])
