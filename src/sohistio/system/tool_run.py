"""A tool at work: a process group of its own, its output in a log and passed on line by line while it runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sohistio.errors import FailedError
from sohistio.system.lifeline import tied_to_us
from sohistio.system.process_group import OWN_GROUP, end_group
from sohistio.system.sanitize import inert, one_line

_KEPT_LINES = 12
_DRAIN = 5.0
GRACE = 10.0
"""Seconds a tool has to end after SIGINT."""


class ToolRun:
    """A process started by `start`. As a context manager it never outlives the block."""

    def __init__(self, name: str, process: subprocess.Popen[str], log: Path, say: Callable[[str], None]) -> None:
        self.name = name
        self.log = log
        self._process = process
        self._say = say
        self._last: deque[str] = deque(maxlen=_KEPT_LINES)
        self._error_line: Exception | None = None
        self._log_lost = False
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), name=f"{name} output", daemon=True)
        self._reader.start()

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        stdin: str,
        log: Path,
        say: Callable[[str], None],
        env: Mapping[str, str] | None = None,
    ) -> ToolRun:
        """Start `command`; `name` is what errors call it.

        `stdin` reaches it through a private file (0600) that has no name any more, so nothing is left behind however
        this ends; on Linux the tool ends with this process even if that is killed. Output is added to `log` (0600; a
        log that cannot be written stops nothing) and each line given to `say`, from another thread. `env` are its
        variables, this process's own where None. Raises FailedError where it cannot be started.
        """
        with contextlib.suppress(OSError):
            _appending(log).close()  # it is there from the start, however little the tool says
        try:
            with tempfile.TemporaryFile("w+", encoding="utf-8") as given:
                given.write(stdin)
                given.flush()
                given.seek(0)
                process = subprocess.Popen(
                    tied_to_us(command),
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                    env=env,
                    **OWN_GROUP,
                )
        except OSError as error:
            raise FailedError(
                f"{name} could not be started", details=(str(error),), todo="Check the file that it names."
            ) from error
        return cls(name, process, log, say)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def last_lines(self) -> tuple[str, ...]:
        """Its newest lines of output."""
        return tuple(self._last)

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once its output is in the log. Raises TimeoutError after `timeout` seconds.

        An error of the callback comes out here.
        """
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} still runs after {timeout} seconds") from None
        self._reader.join(_DRAIN)
        if self._error_line is not None:
            raise self._error_line
        return code

    def check(self, timeout: float | None = None) -> None:
        """Wait, and raise FailedError with the tool's own last lines unless it succeeded, in time."""
        try:
            code = self.wait(timeout)
        except TimeoutError as error:
            raise FailedError(
                f"{self.name} did not end within {timeout:.0f} s",
                details=self.last_lines,
                todo=f"Its whole output is in {self.log}.",
            ) from error
        if code != 0:
            how = f"exit code {code}" if code > 0 else f"signal {-code}"
            raise FailedError(
                f"{self.name} failed ({how})",
                details=self.last_lines,
                todo=f"Its whole output is in {self.log}.",
            )

    def stop(self, grace: float = GRACE) -> None:
        """End it and what it started: SIGINT, and SIGKILL after `grace` seconds. Nothing happens if it has ended."""
        end_group(self._process, grace)
        self._reader.join(_DRAIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _read(self, output: IO[str]) -> None:
        with output:
            for text in output:
                line = text.rstrip()
                self._write(line)
                if line:
                    self._last.append(line)
                    self._tell(line)

    def _write(self, line: str) -> None:
        try:
            with _appending(self.log) as log:
                log.write(f"{inert(one_line(line))}\n")
        except OSError as error:  # a full disk must not stop an installation half-way
            if not self._log_lost:
                self._last.append(f"(log not written: {error})")
            self._log_lost = True

    def _tell(self, line: str) -> None:
        if self._error_line is None:
            try:
                self._say(line)
            except Exception as error:  # noqa: BLE001 - the pipe must be read on, or the tool would stand still
                self._error_line = error


def _appending(log: Path) -> IO[str]:
    log.parent.mkdir(parents=True, exist_ok=True)
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8")
