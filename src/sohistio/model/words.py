"""Counts, and lists that may be long, as people read them: the first few, and how many more there are. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def first_lines(lines: Sequence[str], most: int, noun: str = "") -> tuple[str, ...]:
    """The first lines, and one that counts the rest: `and 3 more`, or `and 3 more lines` with a noun."""
    more = len(lines) - most
    return (*lines[:most], f"and {more} more {noun}".rstrip()) if more > 0 else tuple(lines)


def first_names(names: Sequence[object], most: int) -> str:
    """`a, b and 3 more`."""
    more = len(names) - most
    return ", ".join(map(str, names[:most])) + (f" and {more} more" if more > 0 else "")


def cut(text: str, most: int) -> str:
    """At most so many characters, an ellipsis at the end of what is longer: after a word where one ends near."""
    if len(text) <= most:
        return text
    whole, blank, _ = text[: most - 1].rpartition(" ")
    return f"{whole if blank and len(whole) > most // 2 else text[: most - 1]}…"


def counted(count: int, noun: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
