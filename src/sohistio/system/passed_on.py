"""A tool at a person's service: their arguments and their input, its output as it comes, its own exit code.

What it writes is somebody else's text. It goes through sohistio's own streams: shown, never obeyed (system/streams.py).
"""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, TextIO

from sohistio.errors import ExitCode, FailedError
from sohistio.system.interruption import stop_event
from sohistio.system.lifeline import tied_to_us
from sohistio.system.process_group import OWN_GROUP, end_group
from sohistio.system.tool_run import GRACE

_BLOCK = 65_536
_DRAIN = 5.0
_POLL_SECONDS = 0.05


def pass_on(name: str, command: Sequence[str]) -> int:
    """Run `command` to its end; `name` is what an error calls it. Returns its exit code.

    It reads this process's standard input. Ctrl-C, SIGTERM and SIGHUP reach it as SIGINT, and it is killed where it
    does not end in GRACE seconds; then, and where the signal ended it, the code is 130. It is ended as well once nobody
    reads its output any more (`| head`), which is no failure. Raises FailedError where it cannot be started.
    """
    with stop_event() as stop:
        try:
            process = subprocess.Popen(
                tied_to_us(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, **OWN_GROUP
            )
        except OSError as error:
            what = f"{name} could not be started"
            raise FailedError(what, details=(str(error),), todo="Check the file that it names.") from error
        unread = threading.Event()
        pumps = [
            threading.Thread(target=_pump, args=parts, name=f"{name} output", daemon=True)
            for parts in ((process.stdout, sys.stdout, unread), (process.stderr, sys.stderr, None))
        ]
        for pump in pumps:
            pump.start()
        try:
            while process.poll() is None and not unread.is_set():
                if stop.wait(_POLL_SECONDS):
                    break
        finally:
            end_group(process, GRACE)
        for pump in pumps:
            pump.join(_DRAIN)
    code = process.returncode
    if unread.is_set():
        return ExitCode.OK
    if stop.is_set() and code < 0:
        return ExitCode.INTERRUPTED
    return code if code >= 0 else 128 - code


def _pump(pipe: IO[bytes], out: TextIO, unread: threading.Event | None) -> None:
    """To the pipe's end, or until `unread` is set, as `out` cannot be written; what is no UTF-8 is replaced."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with pipe:
        while block := os.read(pipe.fileno(), _BLOCK):
            out.write(decoder.decode(block))
            if unread is not None and getattr(out, "failure", None) is not None:
                unread.set()
                return
        out.write(decoder.decode(b"", final=True))
