"""The Markdown that docs/ is written in, as far as explaining takes it: sections, and what they are made of. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_HEADING = re.compile(r"(#{1,6}) +(.*)")
_ITEM = re.compile(r"(?:[-*]|\d+\.) +(.*)")
_CELLS = re.compile(r"(?<!\\)\|")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_FENCE = "```"
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


def anchor_of(title: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def sections(document: str) -> tuple[Section, ...]:
    """A document by its headings, in order; what comes before the first one is left out."""
    found: list[tuple[str, int, list[str]]] = []
    fenced = False
    for line in document.splitlines():
        fenced ^= line.startswith(_FENCE)
        heading = None if fenced else _HEADING.fullmatch(line)
        if heading:
            found.append((heading[2], len(heading[1]), []))
        elif found:
            found[-1][2].append(line)
    return tuple(Section(title, level, anchor_of(title), tuple(_blocks(lines))) for title, level, lines in found)


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith(_FENCE):
            end = _until(lines, at + 1, lambda text: text.startswith(_FENCE))
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


def _begins_another(line: str) -> bool:
    return not line.strip() or line.startswith(("|", _FENCE, *_PARTS)) or bool(_ITEM.match(line.strip()))


def _until(lines: Sequence[str], start: int, is_end: Callable[[str], bool]) -> int:
    return next((at for at in range(start, len(lines)) if is_end(lines[at])), len(lines))


def _cells(row: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELLS.split(row.strip().strip("|")))
