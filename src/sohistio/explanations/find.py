"""Which topics somebody means by a name, by words of an error, or by a whole error pasted. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sohistio.errors import UsageError
from sohistio.explanations.text import plain
from sohistio.explanations.topics import Kind, Topic
from sohistio.model.nearest import did_you_mean
from sohistio.model.words import first_lines

MOST = 4
"""Topics that are shown together; of more, their names are."""
_MOST_NAMED = 12
_LEAST_FIXED = 12
_CODE = re.compile(r"(?:exit(?: code)? )?(\d+)")
_GAP = re.compile(r"\s*…\s*")


def find(topics: Sequence[Topic], query: str) -> tuple[Topic, ...]:
    """What the query names. Raises UsageError where that is nothing, or too much."""
    asked = _normal(query)
    named = [topic for topic in topics if topic.kind is not Kind.SECTION]
    sections = [topic for topic in topics if topic.kind is Kind.SECTION]
    code = _CODE.fullmatch(asked)
    found = (
        [topic for topic in named if _normal(topic.name) == (code[1] if code else asked)]
        or [topic for topic in sections if asked in _places(topic)]
        or [topic for topic in named if f" {asked} " in f" {_normal(topic.name)} "]
        or _fitting(named, asked)
        or _with_words(named, asked)
        or _with_words(sections, asked)
    )
    if not found:
        raise _unknown(named, query, asked)
    if len(found) > MOST:
        names = first_lines([topic.name for topic in found], _MOST_NAMED)
        raise UsageError(f"{query!r} fits {len(found)} topics", details=names, todo="Give more words of one.")
    return tuple(found)


def _unknown(named: Sequence[Topic], query: str, asked: str) -> UsageError:
    more = "`sohistio explain` lists what can be explained; of an error a few words do."
    return UsageError(f"nothing is known of {query!r}", todo=did_you_mean(asked, (topic.name for topic in named), more))


def _normal(text: str) -> str:
    """Small letters and single blanks; without the frame that an error is printed in."""
    flat = " ".join(plain(text).lower().split())
    return flat.removeprefix("error: ").rstrip(".").strip()


def _places(topic: Topic) -> tuple[str, ...]:
    """As an error names a section, and shorter."""
    file, place = topic.file.removeprefix("docs/").lower(), topic.anchor
    return (f"docs/{file}#{place}", f"{file}#{place}", f"{file.removesuffix('.md')}#{place}", place)


def _fitting(topics: Sequence[Topic], asked: str) -> list[Topic]:
    """Those whose fixed words, gaps between them, are all in what was pasted: the ones with most of them."""
    fits: list[tuple[int, Topic]] = []
    for topic in topics:
        parts = [part for part in _GAP.split(_normal(topic.name)) if part]
        pattern = ".*".join(re.escape(part) for part in parts)
        if sum(map(len, parts)) >= _LEAST_FIXED and re.search(pattern, asked):
            fits.append((sum(map(len, parts)), topic))
    most = max((length for length, _ in fits), default=0)
    return [topic for length, topic in fits if length == most]


def _with_words(topics: Sequence[Topic], asked: str) -> list[Topic]:
    """Those that have all the words, or words that begin so."""
    wanted = re.findall(r"[\w-]+", asked)

    def has_all(name: str) -> bool:
        words = re.findall(r"[\w-]+", _normal(name))
        return all(any(word.startswith(part) for word in words) for part in wanted)

    return [topic for topic in topics if wanted and has_all(topic.name)]
