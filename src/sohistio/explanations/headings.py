"""Headings of Markdown and their anchors, as a Git host makes them: for explanations, links and the site. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"\s*(```+|~~~+)")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading, the number of its line, and how a link names it."""

    line: int
    level: int
    title: str
    anchor: str


def fence_of(line: str) -> str:
    """The fence of a code block that a line begins with, empty if it does not: one ends with what begins like it."""
    found = _FENCE.match(line)
    return found[1] if found else ""


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are no fenced code, each with its number."""
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        found = fence_of(line)
        if found and not fence:
            fence = found
        elif found and found.startswith(fence):
            fence = ""
        elif not fence:
            yield number, line


def anchor_of(title: str) -> str:
    """The anchor of a heading's Markdown: its text in lower case, spaces as dashes, without punctuation."""
    text = _LINK.sub(r"\1", title).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def headings(text: str) -> Iterator[Heading]:
    """All headings of a text, in order; the anchor of the second one of the same words ends in `-1`."""
    seen: Counter[str] = Counter()
    for number, line in prose(text):
        if found := _HEADING.fullmatch(line):
            anchor = anchor_of(found[2])
            yield Heading(number, len(found[1]), found[2], f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
            seen[anchor] += 1
