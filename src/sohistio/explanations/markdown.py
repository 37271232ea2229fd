"""The Markdown that docs/ is written in, as far as explaining takes it: sections, and what they are made of. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*")
_LINKED = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ITEM = re.compile(r"(?:[-*]|\d+\.) +(.*)")
_CELLS = re.compile(r"(?<!\\)\|")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_FENCE = re.compile(r"\s*(```+|~~~+)")
# A check's section has these parts, each on a line of its own.
_PARTS = ("Why: ", "To fix: ")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Its lines as one. `bullet` for an item of a list."""

    text: str
    bullet: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Its header and its rows, by cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A fenced block, line by line."""

    lines: tuple[str, ...]


Block = Paragraph | Table | Code


@dataclass(frozen=True, slots=True)
class Section:
    """What is under a heading, up to the next one; `anchor` is how a link names it."""

    title: str
    level: int
    anchor: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading in a line of a document, the first line being 1; `anchor` is how a link names it."""

    line: int
    level: int
    title: str
    anchor: str


def prose(document: str) -> Iterator[tuple[int, str]]:
    """The lines that are no fenced code, each with its number."""
    fence = ""
    for number, line in enumerate(document.split("\n"), start=1):
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence):
            fence = ""
        elif not fence:
            yield number, line


def anchor_of(title: str) -> str:
    """As a Git host makes it of a heading: its text in lower case, spaces as dashes, without punctuation."""
    text = _LINKED.sub(r"\1", title).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def headings(document: str) -> Iterator[Heading]:
    """In order; the anchor of the second heading of the same words ends with `-1`."""
    seen: Counter[str] = Counter()
    for number, line in prose(document):
        if found := _HEADING.fullmatch(line):
            anchor = anchor_of(found[2])
            yield Heading(number, len(found[1]), found[2], f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
            seen[anchor] += 1


def sections(document: str) -> tuple[Section, ...]:
    """A document by its headings, in order; what comes before the first one is left out."""
    lines, found = document.split("\n"), tuple(headings(document))
    ends = (*(heading.line - 1 for heading in found[1:]), len(lines))
    return tuple(
        Section(heading.title, heading.level, heading.anchor, tuple(_blocks(lines[heading.line : end])))
        for heading, end in zip(found, ends, strict=False)
    )


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if fence := _FENCE.match(line):
            end = _until(lines, at + 1, partial(_closes, fence[1]))
            yield Code(tuple(lines[at + 1 : end]))
            at = end + 1
        elif line.startswith("|"):
            end = _until(lines, at, lambda text: not text.startswith("|"))
            header, _, *rows = (_cells(row) for row in lines[at:end])
            yield Table(header, tuple(rows))
            at = end
        elif not line.strip():
            at += 1
        else:
            end = _until(lines, at + 1, _begins_another)
            text = _IMAGE.sub("", " ".join(part.strip() for part in lines[at:end])).strip()
            item = _ITEM.fullmatch(text)
            if text:
                yield Paragraph(item[1] if item else text, bullet=bool(item))
            at = end


def _closes(fence: str, line: str) -> bool:
    found = _FENCE.match(line)
    return found is not None and found[1].startswith(fence)


def _begins_another(line: str) -> bool:
    begins = _ITEM.match(line.strip()) or _FENCE.match(line)
    return not line.strip() or line.startswith(("|", *_PARTS)) or bool(begins)


def _until(lines: Sequence[str], start: int, is_end: Callable[[str], bool]) -> int:
    return next((at for at in range(start, len(lines)) if is_end(lines[at])), len(lines))


def _cells(row: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELLS.split(row.strip().strip("|")))
