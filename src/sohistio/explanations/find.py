"""Which topics somebody means by a name, by words of an error, or by a whole error pasted. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sohistio.errors import UsageError
from sohistio.explanations.text import plain
from sohistio.explanations.topics import PLACES, Kind, Topic
from sohistio.model.nearest import did_you_mean
from sohistio.model.words import first_lines

MOST = 4
"""Topics that are shown together; of more, their names are."""
_MOST_NAMED = 12
_LEAST_FIXED = 12
_CODE = re.compile(r"(?:exit(?: code)? )?(\d+)")
_LONGEST_SHOWN = 80
# What stands for a name, or for a number, in the heading of an error: the page's examples do, too.
_GAP = re.compile(r"\s*…\s*|\b(?:dev|int|qa|prod|dr|app\.example\.com)\b|\b\d+[a-z]?\b")
_OR = re.compile(r"; ")
_WHERE = re.compile(r"\(exit code \d+; (docs/\S+)\)")


def find(topics: Sequence[Topic], query: str) -> tuple[Topic, ...]:
    """What the query names. Raises UsageError where that is nothing, or too much."""
    asked = _normal(query)
    named = [topic for topic in topics if topic.kind not in PLACES]
    places = [topic for topic in topics if topic.kind in PLACES]
    sections = [topic for topic in topics if topic.kind is Kind.SECTION]
    code = _CODE.fullmatch(asked)
    first_line = _normal(query.strip().partition("\n")[0])
    found = (
        [topic for topic in named if _normal(topic.name) == (code[1] if code else asked)]
        or [topic for topic in places if asked in _places(topic)]
        or [topic for topic in named if f" {asked} " in f" {_normal(topic.name)} "]
        or _fitting(named, first_line)
        or _fitting(named, asked)
        or _with_words(named, asked)
        or _with_words(sections, asked)
    )
    if not found:
        raise _unknown(named, query, asked)
    if len(found) > MOST:
        names = first_lines([topic.name for topic in found], _MOST_NAMED)
        raise UsageError(f"{_shown(query)} fits {len(found)} topics", details=names, todo="Give more words of one.")
    return tuple(found)


def _unknown(named: Sequence[Topic], query: str, asked: str) -> UsageError:
    more = "`sohistio explain` lists what can be explained; of an error a few words do."
    return UsageError(
        f"nothing is known of {_shown(query)}", todo=did_you_mean(asked, (topic.name for topic in named), more)
    )


def _shown(query: str) -> str:
    """Quoted, and not longer than a line."""
    return repr(query if len(query) <= _LONGEST_SHOWN else f"{query[:_LONGEST_SHOWN]}…")


def _normal(text: str) -> str:
    """Small letters and single blanks; without the frame that an error is printed in."""
    flat = " ".join(plain(text).lower().split())
    where = _WHERE.fullmatch(flat)
    return where[1] if where else flat.removeprefix("error: ").rstrip(".").strip()


def _places(topic: Topic) -> tuple[str, ...]:
    """As an error names a section or a page, and shorter."""
    file, place = topic.file.removeprefix("docs/").lower(), topic.anchor
    if topic.kind is Kind.PAGE:
        return (f"docs/{file}", file)
    return (f"docs/{file}#{place}", f"{file}#{place}", f"{file.removesuffix('.md')}#{place}", place)


def _fitting(topics: Sequence[Topic], asked: str) -> list[Topic]:
    """Those whose fixed words, gaps between them, are all in what was pasted: the ones with most of them."""
    fits = [(_fixed_in(topic, asked), topic) for topic in topics]
    most = max((length for length, _ in fits), default=0)
    return [topic for length, topic in fits if most and length == most]


def _fixed_in(topic: Topic, asked: str) -> int:
    """How many letters of a heading's fixed words are in what was pasted, in its order: 0 where not all of them are.

    A heading may have several forms, `; ` between them.
    """
    lengths = [0]
    for form in _OR.split(_normal(topic.name)):
        parts = [part.strip() for part in _GAP.split(form) if part.strip()]
        length = sum(map(len, parts))
        if length >= _LEAST_FIXED and re.search(".*".join(map(re.escape, parts)), asked):
            lengths.append(length)
    return max(lengths)


def _with_words(topics: Sequence[Topic], asked: str) -> list[Topic]:
    """Those that have all the words, or words that begin so."""
    wanted = re.findall(r"[\w-]+", asked)

    def has_all(name: str) -> bool:
        words = re.findall(r"[\w-]+", _normal(name))
        return all(any(word.startswith(part) for word in words) for part in wanted)

    return [topic for topic in topics if wanted and has_all(topic.name)]
