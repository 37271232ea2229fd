"""Markdown of text that anybody may have written: shown letter by letter, never a link, a table's end or HTML. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sohistio.system.sanitize import one_line

MOST_BYTES = 96 * 1024
"""Of a page, a little less than the 100 KiB that a summary may have."""

_MOST_CHARACTERS = 600
# By character references, which Markdown takes as letters everywhere: a backslash would not hold in every renderer.
_ACTIVE = {ord(character): f"&#{ord(character)};" for character in "\\`*_~|<>&[]{}#!@$"}
# What is a link without brackets, and what begins a list, a heading or a code block where a line begins with it.
_BARE_LINK = re.compile(r":(?=//)|(?<=www)\.|(?<=mailto):", re.IGNORECASE)
_BEGINNING = re.compile(r"^(\d+)([.)])|^[-+=]|^\s+")


def text(value: str) -> str:
    """A value as letters within a line of a page, such as a table's cell."""
    if len(value) > _MOST_CHARACTERS:
        value = f"{value[:_MOST_CHARACTERS]}… (and {len(value) - _MOST_CHARACTERS} more characters)"
    shown = one_line(value).translate(_ACTIVE)
    return _BARE_LINK.sub(lambda found: f"&#{ord(found[0])};", shown)


def begun(value: str) -> str:
    """A value as letters at the beginning of a paragraph, or of a list's item."""
    return _BEGINNING.sub(_letters, text(value))


def _letters(found: re.Match[str]) -> str:
    if found[1]:
        return f"{found[1]}&#{ord(found[2])};"
    return "" if found[0].isspace() else f"&#{ord(found[0])};"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, most: int) -> list[str]:
    """Lines of a table whose cells are escaped here; of many rows the first, and how many there are more."""
    listed = list(rows)
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(text(cell) for cell in row)} |" for row in listed[:most]]
    return lines + ([f"\nand {len(listed) - most} more"] if len(listed) > most else [])


def page(title: str, sections: Iterable[Sequence[str]]) -> str:
    """Sections in the order of their weight: from the line on that does not fit any more the page is cut, and says so.

    Each is a list of lines; an empty one is no section.
    """
    lines = [f"# {text(title)}"]
    room = MOST_BYTES - len(_CUT.encode()) - len(lines[0].encode()) - 1
    for line in (line for section in sections if section for line in ("", *section)):
        room -= len(line.encode()) + 1
        if room < 0:
            return "\n".join(lines) + _CUT
        lines.append(line)
    return "\n".join(lines) + "\n"


_CUT = "\n\nThis page is cut here: the log has the rest.\n"
