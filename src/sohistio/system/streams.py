r"""The choke point of all output: what stands in for sys.stdout and sys.stderr from the first line of `main` on.

Whatever prints (`print`, Typer, a library, a traceback) writes to a `Stream`, and that takes everything for text of
somebody else: control characters come out visible (`\x1b`), `##vso[` comes out as `# #vso[`, on both streams, whether
a build agent reads them or not. A new print cannot forget it. There are three ways in:

- `write`, which `print` uses. Newlines are kept, so a value from the cluster goes through `sanitize.one_line` before it
  is put into a line: `output.console`, `output.lines` and `output.error_text` do that for all they print, and ruff bans
  print, rich's own Console and the like everywhere else.
- `write_rendered`, for what is drawn: its escape sequences pass. `output.console.SafeConsole` calls it, which has
  made every piece of text visible before it draws, and `output.error_text`, for its one coloured word.
- `command`, for our own commands to a build agent: it takes the command's name, properties and message, escapes them as
  the agent wants it, and writes the line past `inert`. Only `output.devops` calls it.

A stream that cannot be written (the reader has gone, the disk is full, the terminal hung up) never raises: the work
goes on, `failure` says what was wrong, and the log of a run has all of it. Bytes go straight to the file descriptor,
so that nothing is left to be flushed when the interpreter ends.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import select
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TextIO, cast

from sohistio.errors import FailedError, SohistioError
from sohistio.system.agent_command import command_line
from sohistio.system.encoding import encoded
from sohistio.system.sanitize import begun_command, inert, visible
from sohistio.system.transcript import Transcript

_PATIENCE = 10.0
"""Seconds that a reader may take where the stream does not block."""
_CLOSED = {errno.EPIPE, errno.ESHUTDOWN} | ({errno.EINVAL} if sys.platform == "win32" else set())
_SEQUENCES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Stream(io.TextIOBase):
    """Text for a file descriptor; `failure` is why it cannot be written any more. Safe from several threads."""

    def __init__(self, inner: IO[str] | None, transcript: Transcript, failed: Callable[[], None]) -> None:
        self.failure: Exception | None = None if inner is not None else OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._inner = inner
        self._encoding = getattr(inner, "encoding", None) or "utf-8"
        buffer = getattr(inner, "buffer", None)
        self._raw = getattr(buffer, "raw", buffer)
        self._transcript = transcript
        self._failed = failed
        self._lock = threading.RLock()
        self._command = ""
        self._within_line = False
        self._unlogged = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute, the class itself a property
        return self._encoding

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._inner is not None and self._inner.isatty()

    def fileno(self) -> int:
        if self._inner is None:
            raise io.UnsupportedOperation("fileno")
        return self._inner.fileno()

    @property
    def was_closed(self) -> bool:
        """Whether its reader wanted no more of it, as `head` does. That is no error."""
        return isinstance(self.failure, OSError) and self.failure.errno in _CLOSED

    def write(self, text: str) -> int:
        """Text of anybody: shown, never obeyed."""
        self._write(visible(text))
        return len(text)

    def write_rendered(self, text: str, *, logged: bool = True) -> None:
        """What Rich has drawn of text that is visible already; with `logged` false somebody else logs it."""
        self._write(text, logged=logged)

    def command(self, name: str, properties: Mapping[str, str], message: str) -> None:
        """A command of our own to Azure DevOps' agent, on a line of its own. No log has it: logs are printed, too."""
        with self._lock:
            fresh, self._command = "\n" if self._within_line else "", ""
            lost = self._put(fresh + command_line(name, properties, message))
        if lost:
            self._failed()

    def _write(self, text: str, *, logged: bool = True) -> None:
        with self._lock:
            begun = self._command
            text = inert(text, begun)
            self._command = begun_command((begun + text).rpartition("\n")[2])
            if logged:
                self._log(text)
            lost = self._put(text)
        if lost:
            self._failed()

    def _put(self, text: str) -> bool:
        """Whether the stream has just been lost."""
        if self.failure is not None or not text:
            return False
        self._within_line = not text.endswith("\n")
        try:
            self._send(text)
        except (OSError, ValueError) as error:
            self.failure = error
        return self.failure is not None

    def _log(self, text: str) -> None:
        whole, newline, self._unlogged = (self._unlogged + text).rpartition("\n")
        if newline:
            self._transcript.add(f"{_SEQUENCES.sub('', whole)}\n")

    def log(self, lines: str) -> None:
        """Whole lines for the run's log alone."""
        with self._lock:
            self._transcript.add(inert(visible(lines)))

    def _send(self, text: str) -> None:
        if self._raw is None:
            if self._inner is not None:
                self._inner.write(encoded(text, self._encoding).decode(self._encoding))
                self._inner.flush()
            return
        data = memoryview(encoded(text if os.linesep == "\n" else text.replace("\n", os.linesep), self._encoding))
        while data:
            written = self._raw.write(data)
            if written is None:  # it does not block, and is full
                _, ready, _ = select.select([], [self._raw], [], _PATIENCE)
                if not ready:
                    raise BlockingIOError(errno.EAGAIN, "nobody reads it")
                continue
            data = data[written:]

    def flush(self) -> None:
        """Nothing is ever held back."""


class _Standard:
    """The two streams of this process, and what its command said about itself."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.stdout: Stream | None = None
        self.stderr: Stream | None = None
        self.works = False
        self._say = False

    def lost(self) -> None:
        """Say once on stderr that a run goes on without its stdout, and where to read it."""
        if self.transcript.paths:
            self.note(f"The run goes on; all that it says is in {self.transcript.paths[-1]}.")

    def note(self, what_now: str) -> None:
        out = self.stdout
        if out is None or out.failure is None or self.stderr is None or self._say:
            return
        self._say = True
        how = "was closed" if out.was_closed else f"cannot be written ({out.failure})"
        self.stderr.write(f"Note: standard output {how}. {what_now}\n")


_standard = _Standard()


def install() -> None:
    """Put the streams in the place of sys.stdout and sys.stderr, for the rest of this process."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _fill_descriptors()
    _standard.stdout = Stream(sys.stdout, _standard.transcript, _standard.lost)
    _standard.stderr = Stream(sys.stderr, _standard.transcript, _standard.lost)
    sys.stdout, sys.stderr = cast(TextIO, _standard.stdout), cast(TextIO, _standard.stderr)


def _fill_descriptors() -> None:
    """Started with a closed descriptor (`>&-`), the next file opened would get its number, and a child's output."""
    with contextlib.suppress(OSError):
        while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(handle)


def stream_of(file: IO[str]) -> IO[str]:
    """The stream itself, where a live display has put something before it."""
    found: IO[str] = getattr(file, "rich_proxied_file", file)
    return found


def work_begins() -> None:
    """Said by a command that does more than look: its exit code is that of its work, whoever reads the output."""
    _standard.works = True


def keep_log(path: Path) -> None:
    """From here on the run's log has every line that is shown, and all that this command has shown before."""
    work_begins()
    error = _standard.transcript.keep(path)
    if error is not None:
        sys.stderr.write(f"Note: the log {path} cannot be written ({error}). The run goes on.\n")
    _standard.lost()


def can_ask() -> bool:
    """Whether what was to be read before an answer could be shown: the plan on the one, the question on the other."""
    return all(stream is None or stream.failure is None for stream in (_standard.stdout, _standard.stderr))


def lost_answer() -> SohistioError | None:
    """The error of a command that only looks and could not write what it found; a closed pipe is none.

    A command that works gets a note on stderr at most: what it did counts.
    """
    out = _standard.stdout
    if out is None or out.failure is None or out.was_closed:
        return None
    if _standard.works:
        _standard.note("What was to be read there is lost; the exit code tells how it went.")
        return None
    return FailedError(
        "standard output cannot be written",
        details=(str(out.failure),),
        todo="What is there is not complete: make room, or send it somewhere else, and run it again.",
    )
