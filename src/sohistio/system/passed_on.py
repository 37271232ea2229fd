"""A tool at a person's service: their arguments and their input, its output as it comes, its own exit code.

What it writes is somebody else's text. It goes through sohistio's own streams: shown, never obeyed (system/streams.py).
"""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
import threading
import time
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
            _Pump(name, *parts) for parts in ((process.stdout, sys.stdout, unread), (process.stderr, sys.stderr, None))
        ]
        try:
            while process.poll() is None and not unread.is_set():
                if stop.wait(_POLL_SECONDS):
                    break
        finally:
            end_group(process, GRACE)
        for pump in pumps:
            pump.drain(stop, unread)
    code = process.returncode
    if unread.is_set():
        return ExitCode.OK
    if stop.is_set() and code < 0:
        return ExitCode.INTERRUPTED
    return code if code >= 0 else 128 - code


class _Pump:
    """A thread from a pipe to `out`: to the pipe's end, or until `out` cannot be written, which sets `unread`."""

    def __init__(self, name: str, pipe: IO[bytes], out: TextIO, unread: threading.Event | None) -> None:
        self._pipe, self._out, self._unread = pipe, out, unread
        self._writes = False
        self._thread = threading.Thread(target=self._run, name=f"{name} output", daemon=True)
        self._thread.start()

    def drain(self, stop: threading.Event, unread: threading.Event) -> None:
        """Wait until it has passed on all that the ended tool wrote, however slowly that is read, or until Ctrl-C.

        Where nothing comes any more, as what the tool has started holds the pipe open, it is over after _DRAIN.
        """
        end = time.monotonic() + _DRAIN
        while self._thread.is_alive() and time.monotonic() < end:
            self._thread.join(_POLL_SECONDS)
            if self._writes and not (stop.is_set() or unread.is_set()):
                end = time.monotonic() + _DRAIN

    def _run(self) -> None:
        """What is no UTF-8 is replaced."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with self._pipe:
            while block := os.read(self._pipe.fileno(), _BLOCK):
                self._writes = True
                self._out.write(decoder.decode(block))
                self._writes = False
                if self._unread is not None and getattr(self._out, "failure", None) is not None:
                    self._unread.set()
                    return
            self._out.write(decoder.decode(b"", final=True))
