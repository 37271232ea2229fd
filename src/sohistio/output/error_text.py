"""An error as people read it: what happened, details, what to do. No third-party import: it must always print."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable

from sohistio.errors import SohistioError
from sohistio.system.sanitize import one_line
from sohistio.system.streams import Stream

listeners: list[Callable[[SohistioError], None]] = []
"""Who else hears of each error, after it is printed."""


def error_lines(error: SohistioError) -> list[str]:
    """The four parts, where it is documented and the exit code last."""
    return [
        f"Error: {one_line(error.what)}.",
        *(f"  {one_line(line)}" for detail in error.details for line in _lines(detail)),
        *([f"What to do: {one_line(error.todo)}"] if error.todo else []),
        f"(exit code {int(error.exit_code)}; {error.docs})",
    ]


def _lines(detail: str) -> list[str]:
    """By its newlines only: what else ends a line somewhere (CR, U+2028) is shown, and begins no line of sohistio's."""
    return detail.replace("\r\n", "\n").removesuffix("\n").split("\n") if detail else []


def print_error(error: SohistioError) -> None:
    """Write the error to stderr: in a terminal folded between words, elsewhere a line stays a line."""
    lines = error_lines(error)
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        lines = [folded for line in lines for folded in _folded(line, width)]
        if not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
            lines[0] = lines[0].replace("Error:", "\x1b[1;31mError:\x1b[0m", 1)
    text = "\n".join(lines) + "\n"
    if isinstance(sys.stderr, Stream):
        sys.stderr.write_rendered(text)
    else:
        sys.stderr.write(text)
    for listener in listeners:
        listener(error)


def _folded(line: str, width: int) -> list[str]:
    """Paths, addresses and names stay whole, so that they can be copied."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    ) or [line]
