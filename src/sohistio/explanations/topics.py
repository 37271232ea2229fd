"""What can be explained, read from the documentation: checks, exit codes, errors, alerts, sections. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sohistio.explanations.markdown import Block, Paragraph, Section, Table, sections
from sohistio.explanations.text import plain

SAFETY, PREFLIGHT, TROUBLESHOOTING, MONITORING, PROMOTE = (
    f"docs/{name}.md" for name in ("modes-and-safety", "preflight", "troubleshooting", "monitoring", "promote")
)
_LED = re.compile(r"\*\*(.+?)\.?\*\*\s*(.*)")
_EXIT_CODE = re.compile(r"exit code (\d+)$")
# What the first column of a table of errors is called.
_ERRORS = ("error", "it says")


class Kind(StrEnum):
    """What a topic is about."""

    CHECK = "check"
    VERIFICATION = "verification"
    PROMOTION = "promotion"
    EXIT_CODE = "exitCode"
    ALERT = "alert"
    ERROR = "error"
    SECTION = "section"
    PAGE = "page"


PLACES = (Kind.SECTION, Kind.PAGE)
"""What an error refers to, and what is found by its words only where nothing else has them."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One explanation: `name` is what it is asked for by, `file` and `anchor` where it stands; a page has no anchor."""

    kind: Kind
    name: str
    file: str
    anchor: str
    blocks: tuple[Block, ...]

    @property
    def source(self) -> str:
        """As an error names it."""
        return f"{self.file}#{self.anchor}" if self.anchor else self.file


def topics_of(documents: Mapping[str, str]) -> tuple[Topic, ...]:
    """Every topic, by documents: their paths from the top of the checkout, and their text."""
    # The page about errors comes first; others have what is special to them.
    files = sorted(documents, key=lambda file: (file != TROUBLESHOOTING, file))
    read = {file: sections(documents[file]) for file in files}
    errors = [topic for file, found in read.items() for section in found for topic in _errors(file, section)]
    return (
        *_under(read[PREFLIGHT], "The checks", PREFLIGHT, Kind.CHECK),
        *_verifications(read[TROUBLESHOOTING]),
        *_evidence(read[PROMOTE]),
        *_exit_codes(read, errors),
        *_under(read[MONITORING], "Alerts", MONITORING, Kind.ALERT),
        *errors,
        *(_whole(file, found, at) for file, found in read.items() for at in range(len(found))),
        *(_page(file, found) for file, found in read.items() if found),
    )


def _inner(found: Sequence[Section], at: int) -> Sequence[Section]:
    """The sections below one."""
    level = found[at].level
    end = next((after for after in range(at + 1, len(found)) if found[after].level <= level), len(found))
    return found[at + 1 : end]


def _under(found: Sequence[Section], title: str, file: str, kind: Kind) -> Iterator[Topic]:
    at = next(place for place, section in enumerate(found) if section.title == title)
    yield from (Topic(kind, section.title, file, section.anchor, section.blocks) for section in _inner(found, at))


def _whole(file: str, found: Sequence[Section], at: int) -> Topic:
    blocks = list(found[at].blocks)
    for section in _inner(found, at):
        blocks += [Paragraph(f"**{section.title}**"), *section.blocks]
    return Topic(Kind.SECTION, found[at].title, file, found[at].anchor, tuple(blocks))


def _page(file: str, found: Sequence[Section]) -> Topic:
    """A page in short: what it begins with, and its sections."""
    title, *rest = found
    begins = [block for block in title.blocks if isinstance(block, Paragraph)][:1]
    parts = [
        Paragraph(f"[{item.title}](#{item.anchor})", bullet=True) for item in rest if item.level == title.level + 1
    ]
    return Topic(Kind.PAGE, plain(title.title), file, "", (*begins, *parts))


def _verifications(found: Sequence[Section]) -> Iterator[Topic]:
    for section in found:
        for table in section.blocks:
            if isinstance(table, Table) and table.header[0] == "check":
                for names, *cells in table.rows:
                    text = Paragraph(f"It fails when: {cells[0]}")
                    for name in plain(names).split(", "):
                        yield Topic(Kind.VERIFICATION, name, TROUBLESHOOTING, section.anchor, (text,))


def _evidence(found: Sequence[Section]) -> Iterator[Topic]:
    """What speaks for a promotion, or against it."""
    section = next(item for item in found if item.title == "The evidence")
    for table in section.blocks:
        if isinstance(table, Table):
            for name, holds, if_not in table.rows:
                blocks = (Paragraph(f"It holds if: {holds}"), Paragraph(f"If not: {if_not}"))
                yield Topic(Kind.PROMOTION, plain(name), PROMOTE, section.anchor, blocks)


def _errors(file: str, section: Section) -> Iterator[Topic]:
    """The rows of tables of errors; in troubleshooting.md also what a paragraph begins with in bold."""
    led: tuple[str, list[Block]] | None = None
    for block in section.blocks:
        if isinstance(block, Table) and block.header[0] in _ERRORS:
            for row in block.rows:
                yield Topic(Kind.ERROR, plain(row[0]), file, section.anchor, tuple(map(Paragraph, row[1:])))
        found = _LED.fullmatch(block.text) if isinstance(block, Paragraph) and file == TROUBLESHOOTING else None
        if found:
            if led:
                yield Topic(Kind.ERROR, led[0], file, section.anchor, tuple(led[1]))
            led = plain(found[1]), [Paragraph(found[2])] if found[2] else []
        elif led:
            led[1].append(block)
    if led:
        yield Topic(Kind.ERROR, led[0], file, section.anchor, tuple(led[1]))


def _exit_codes(read: Mapping[str, Sequence[Section]], errors: Sequence[Topic]) -> Iterator[Topic]:
    """A row of the table of exit codes, and the errors that end so."""
    section = next(item for item in read[SAFETY] if item.title == "Exit codes")
    table = next(block for block in section.blocks if isinstance(block, Table))
    for code, meaning, *_ in table.rows:
        blocks: list[Block] = [Paragraph(f"Exit code {code}: {meaning}.")]
        for at, found in enumerate(read[TROUBLESHOOTING]):
            if (named := _EXIT_CODE.search(found.title)) and named[1] == code:
                blocks += _what_ends_so(found, _inner(read[TROUBLESHOOTING], at), errors)
        yield Topic(Kind.EXIT_CODE, code, SAFETY, section.anchor, tuple(blocks))


def _what_ends_so(section: Section, inner: Sequence[Section], errors: Sequence[Topic]) -> Iterator[Block]:
    """What the section says itself, and its errors by name."""
    anchors = {section.anchor, *(item.anchor for item in inner)}
    names = [topic.name for topic in errors if topic.file == TROUBLESHOOTING and topic.anchor in anchors]
    if not names:
        yield from section.blocks
        return
    yield Paragraph("Errors that end so; `sohistio explain` with words of one says more:")
    yield from (Paragraph(name, bullet=True) for name in names)
