"""What was said, kept in the log of a run: also where nobody could read it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# What is kept for a log that has not begun yet, in characters: a plan and its checks are a tenth of it.
_MOST_KEPT = 1_000_000


class Transcript:
    """Lines before the first log begins are kept for it; from then on each line goes to every log (0600).

    A log that cannot be written costs nothing but the log.
    """

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self._handles: list[int] = []
        self._before: list[str] = []
        self._kept = 0

    def keep(self, path: Path) -> OSError | None:
        """Begin a log, or go on with one; what hinders it is returned."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            return error
        self.paths.append(path)
        self._handles.append(handle)
        before, self._before = self._before, []
        self.add("".join(before))
        return None

    def add(self, lines: str) -> None:
        """Whole lines, as they are shown but without colours. Each is written at once: a killed run has its log."""
        if self._handles:
            for handle in self._handles:
                with contextlib.suppress(OSError):
                    os.write(handle, lines.encode("utf-8", "backslashreplace"))
            return
        self._before.append(lines)
        self._kept += len(lines)
        while self._kept > _MOST_KEPT:
            self._kept -= len(self._before.pop(0))
