"""Blocks of the documentation as lines for a terminal, a pipe or a document. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sohistio.explanations.markdown import Block, Code, Paragraph, Table

_INLINE = re.compile(r"`([^`]+)`|\*\*(.+?)\*\*|\*([^*\s][^*]*)\*|\[((?:`[^`]*`|[^\]])+)\]\(([^)]+)\)")
_STEP = 2


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line; `style` is empty, `strong` or `code`."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph, an item, a cell or a line of code, indented by so many columns; without spans it is empty. One that
    is whole is never folded.
    """

    spans: tuple[Span, ...] = ()
    indent: int = 0
    is_whole: bool = False

    @property
    def text(self) -> str:
        """Without styles."""
        return "".join(span.text for span in self.spans)


def plain(markup: str) -> str:
    """A line of Markdown as text."""
    return "".join(span.text for span in spans_of(markup, ""))


def spans_of(markup: str, file: str) -> tuple[Span, ...]:
    """A line of Markdown in pieces; links say where they lead, seen from `file`."""
    return tuple(_spans(markup, file, ""))


def lines_of(blocks: Sequence[Block], file: str) -> tuple[Line, ...]:
    """Blocks of `file`, with empty lines between them; items of a list stand close together."""
    lines: list[Line] = []
    before: Block | None = None
    for block in blocks:
        close = isinstance(block, Paragraph) and block.bullet and isinstance(before, Paragraph) and before.bullet
        if before is not None and not close:
            lines.append(Line())
        lines += _lines(block, file)
        before = block
    return tuple(lines)


def _lines(block: Block, file: str) -> Iterator[Line]:
    match block:
        case Code():
            yield from (Line((Span(line, "code"),), 2 * _STEP, is_whole=True) for line in block.lines)
        case Paragraph(bullet=True):
            yield Line((Span("- "), *spans_of(block.text, file)), _STEP)
        case Paragraph():
            yield Line(spans_of(block.text, file))
        case Table():
            for row in block.rows:
                yield from _row(block.header, row, file)


def _row(header: Sequence[str], row: Sequence[str], file: str) -> Iterator[Line]:
    """The first cell, and what the others say of it; with their headings where there are several."""
    yield Line(tuple(_spans(row[0], file, "strong")))
    for title, cell in zip(header[1:], row[1:], strict=False):
        named = (Span(f"{plain(title)}: "),) if len(header) > 2 and title and cell else ()
        if cell:
            yield Line((*named, *spans_of(cell, file)), _STEP)


def _spans(markup: str, file: str, style: str) -> Iterator[Span]:
    at = 0
    for found in _INLINE.finditer(markup):
        if found.start() > at:
            yield Span(markup[at : found.start()], style)
        code, strong, stressed, label, target = found.groups()
        if code is not None:
            yield Span(code, "code")
        elif target is not None:
            place = _place(target, file)
            if PurePosixPath(target.partition("#")[0]).name == label:
                yield Span(place, style)
            else:
                yield from _spans(label, file, style)
                yield Span(f" ({place})", style)
        else:
            yield from _spans(strong or stressed, file, "strong" if strong else style)
        at = found.end()
    if at < len(markup):
        yield Span(markup[at:], style)


def _place(target: str, file: str) -> str:
    """Where a link leads, from the top of the checkout."""
    if "://" in target:
        return target
    if target.startswith("#"):
        return f"{file}{target}"
    return target if target.startswith("docs/") else f"docs/{target.removeprefix('../')}"
