"""Links between the Markdown files of this repository: each leads to a file that is there, and to a heading in it.

A heading's anchor is the one that a Git host gives it. The site's are made to be the same (`slugify` in zensical.toml).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

_FENCE = re.compile(r"^\s*(```+|~~~+)")
_CODE = re.compile(r"(`+)(?:(?!\n\s*\n).)+?\1", re.DOTALL)
_LINK = re.compile(r"!?\[(?:(?!\n\s*\n)[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


@dataclass(frozen=True)
class Link:
    """A link in a line of a file, as it is written."""

    line: int
    target: str

    @property
    def is_elsewhere(self) -> bool:
        """Whether it leads to another host; nobody is asked whether that answers."""
        return _ELSEWHERE.match(self.target) is not None

    @property
    def path(self) -> str:
        """The file's part; empty for a link within the page."""
        return unquote(self.target.partition("#")[0])

    @property
    def anchor(self) -> str:
        """The heading's part; empty if there is none."""
        return unquote(self.target.partition("#")[2])


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are no fenced code, each with its number."""
    fence = ""
    for number, line in enumerate(text.split("\n"), start=1):
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence):
            fence = ""
        elif not fence:
            yield number, line


def links_of(text: str) -> Iterator[Link]:
    """All links and pictures of a text. What stands in code is none."""
    for found in _found_in(text):
        yield Link(text.count("\n", 0, found.start(1)) + 1, found[1])


def with_targets(text: str, target_of: Callable[[Link], str]) -> str:
    """The text with another target in each of its links."""
    for found, link in reversed(list(zip(_found_in(text), links_of(text), strict=True))):
        start, end = found.span(1)
        text = text[:start] + target_of(link) + text[end:]
    return text


def with_plain_bars(text: str) -> str:
    """The text without the backslash of `\\|` in code in tables: a Git host needs it, Python-Markdown shows it."""
    lines = text.split("\n")
    for number, line in prose(text):
        if line.startswith("|"):
            lines[number - 1] = _CODE.sub(lambda code: code[0].replace("\\|", "|"), line)
    return "\n".join(lines)


def _found_in(text: str) -> Iterator[re.Match[str]]:
    """The links of a text. A link's words may hold code or a line break; its target holds neither."""
    return _LINK.finditer(_CODE.sub(lambda code: _blank(code[0]), "\n".join(_prose_lines(text))))


def _prose_lines(text: str) -> Iterator[str]:
    """All lines, those of fenced code with blanks in place of what they say."""
    said = dict(prose(text))
    for number, line in enumerate(text.split("\n"), start=1):
        yield said.get(number, " " * len(line))


def _blank(code: str) -> str:
    return re.sub(r"[^\n]", "x", code)


def anchor_of(heading: str) -> str:
    """The anchor of a heading's Markdown: its text in lower case, spaces as dashes, without punctuation."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def anchors_of(text: str) -> frozenset[str]:
    """All anchors of a text; the second heading of the same words gets `-1`."""
    seen: Counter[str] = Counter()
    anchors = set()
    for _, line in prose(text):
        if heading := _HEADING.match(line):
            anchor = anchor_of(heading[2])
            anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
            seen[anchor] += 1
    return frozenset(anchors)


def broken_links(root: Path, pages: list[Path]) -> list[str]:
    """What is wrong with the links of these files below `root`: file, line, link and why, a line each."""
    return [problem for page in pages for problem in _broken_in(root, page)]


def _broken_in(root: Path, page: Path) -> Iterator[str]:
    for link in links_of(page.read_text(encoding="utf-8")):
        if link.is_elsewhere:
            continue
        where = f"{page.relative_to(root)}:{link.line}: {link.target}"
        to = (page.parent / link.path).resolve() if link.path else page
        if not to.is_relative_to(root):
            yield f"{where}: leads out of the repository"
        elif not to.exists():
            yield f"{where}: there is no {to.relative_to(root)}"
        elif link.anchor and to.suffix == ".md" and link.anchor not in anchors_of(to.read_text(encoding="utf-8")):
            yield f"{where}: {to.relative_to(root)} has no heading with this anchor"


def pages_of(root: Path) -> list[Path]:
    """The Markdown files that people read: those in the root, and all of docs/."""
    return sorted(root.glob("*.md")) + sorted((root / "docs").rglob("*.md"))
