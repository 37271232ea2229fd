"""A program on a terminal: what it shows there, read to the end."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

_ROWS = 50


def shown_on_terminal(
    command: Sequence[str], columns: int, environ: Mapping[str, str], cwd: Path | None = None
) -> tuple[int, str]:
    """The exit code, and what a terminal of so many columns gets on stdout, with a line's end as a file has it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    with subprocess.Popen(
        command, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        shown = to_the_end(ours)
    return process.returncode, shown.replace("\r\n", "\n")


def to_the_end(terminal: int) -> str:
    """What is still to come of it, as it comes; then it is closed."""
    shown = b""
    try:
        while more := os.read(terminal, 65_536):
            shown += more
    except OSError:  # how a terminal tells that the last program has gone
        pass
    os.close(terminal)
    return shown.decode()
