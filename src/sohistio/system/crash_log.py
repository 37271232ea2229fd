"""What a bug leaves behind for its report: the traceback, in a private file (0600). No user sees one otherwise."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime

from sohistio.errors import UsageError
from sohistio.system.masked import bug_text, masked
from sohistio.system.paths import state_dir
from sohistio.system.sanitize import inert, visible


def crash_log(error: BaseException) -> tuple[str, ...]:
    """Write it; returns lines for the error's details: what it was, and where the traceback is (or all of it)."""
    what = bug_text(error)
    try:
        folder = state_dir() / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8") as file:
            file.write(inert(visible(masked("".join(traceback.format_exception(error))))))
    except (OSError, UsageError):
        return (what, *map(masked, traceback.format_exception(error)))
    return (what, f"the traceback is in {path}")
