"""A part of the sandbox that is a process of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from sohistio.errors import FailedError
from sohistio.sandbox import record
from sohistio.sandbox.parts import Command
from sohistio.sandbox.processes import ProcessId, end, identify, mark
from sohistio.sandbox.record import PartRecord

_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "TZ")
_COLLECT_LATE = {"GOGC": "400", "GOMEMLIMIT": "768MiB"}
"""Go's garbage collector costs the API server a sixth of its CPU as it is set; a part that is big collects as ever."""


class Part:
    """Started when made; its output goes to `<folder>/logs/<name>.log`. Raises FailedError where it cannot start."""

    def __init__(
        self, folder: Path, command: Command, *, environment: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self.name = command.name
        self._address = command.address
        self._log = folder / "logs" / f"{command.name}.log"
        inherited = {key: os.environ[key] for key in _KEPT if key in os.environ}
        try:
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    command.argv,
                    cwd=cwd or folder,
                    env=inherited | _COLLECT_LATE | dict(environment or {}) | mark(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
        except OSError as error:
            todo = "Fix what it says, then `sohistio sandbox reset`."
            raise FailedError(f"{command.name} could not be started", details=(str(error),), todo=todo) from error
        pid = self._process.pid
        self._identity = identify(pid) or ProcessId(pid, 0)

    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask it to end, and do not wait for it."""
        self._process.terminate()

    def record(self) -> PartRecord:
        """The part as it is now."""
        code = self.exit_code()
        return PartRecord(
            self.name,
            record.RUNNING if code is None else record.CRASHED,
            self._identity.pid,
            self._identity.started,
            self._address,
            str(self._log),
            code,
        )

    def last_lines(self) -> tuple[str, ...]:
        """The end of its log."""
        return last_lines(self._log, 10)

    @staticmethod
    def end_all(parts: Iterable[Part], grace_seconds: float = 3.0) -> None:
        """End these together, and reap them."""
        ended = list(parts)
        end([part._identity for part in ended if part.exit_code() is None], grace_seconds)
        for part in ended:
            try:
                part._process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                print(f"{part.name} (pid {part._identity.pid}) does not end", flush=True)


def last_lines(log: Path, count: int) -> tuple[str, ...]:
    """The last lines of a log; none where it cannot be read."""
    try:
        with log.open("rb") as content:
            content.seek(0, os.SEEK_END)
            content.seek(max(0, content.tell() - 16_384))
            return tuple(content.read().decode(errors="replace").splitlines()[-count:])
    except OSError:
        return ()
