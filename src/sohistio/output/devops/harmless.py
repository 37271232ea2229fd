"""What Azure DevOps' agent is told does not undo what is done: a bug on the way to it is a note."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sohistio.errors import SohistioError


@contextmanager
def harmless() -> Iterator[None]:
    """Within the block the agent is told something. Whatever goes wrong there is a note on stderr, never raised."""
    try:
        yield
    except SohistioError as error:
        _note(" ".join((f"{error.what}.", error.todo)).strip())
    except Exception as bug:  # noqa: BLE001 — the exit code is that of the work
        from sohistio.system.crash_log import crash_log

        _note(f"report it, please: {', '.join(crash_log(bug))}")


def _note(why: str) -> None:
    sys.stderr.write(f"Note: Azure DevOps was not told everything; {why}\n")
