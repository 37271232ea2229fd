"""Explanations as people read them, and as a document."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.padding import Padding
from rich.text import Text

from sohistio.explanations.text import Line, Span, lines_of
from sohistio.explanations.topics import Kind, Topic
from sohistio.output.console import console, say

_TITLES = {
    Kind.CHECK: "a check before a run",
    Kind.VERIFICATION: "a check after a run",
    Kind.PROMOTION: "a check of a promotion",
    Kind.EXIT_CODE: "an exit code",
    Kind.ALERT: "an alert",
    Kind.ERROR: "an error",
    Kind.SECTION: "a section",
    Kind.PAGE: "a page",
}
_LISTED = {
    Kind.CHECK: "Checks before a run",
    Kind.VERIFICATION: "Checks after a run",
    Kind.PROMOTION: "Checks of a promotion",
    Kind.EXIT_CODE: "Exit codes",
    Kind.ALERT: "Alerts",
}
_STYLES = {"strong": "bold", "code": "cyan"}


def show_topics(topics: Sequence[Topic]) -> None:
    """Print topics, each with where it stands."""
    for number, topic in enumerate(topics):
        if number:
            _print((Line(),))
        _print(_topic(topic))


def show_list(topics: Sequence[Topic]) -> None:
    """Print what can be explained, by kinds; errors are counted."""
    for kind, names in _by_kind(topics):
        if kind in _LISTED:
            _print((Line((Span(_LISTED[kind], "strong"),)), Line((Span(", ".join(names)),), 2), Line()))
    errors = sum(topic.kind is Kind.ERROR for topic in topics)
    _print(
        (
            Line((Span("Errors", "strong"),)),
            Line(
                (Span(f"{errors} of them, by a few of their words: "), Span("sohistio explain another run", "code")), 2
            ),
        )
    )


def topic_document(topic: Topic) -> dict[str, Any]:
    """A topic as JSON."""
    lines = [f"{' ' * line.indent}{line.text}" for line in lines_of(topic.blocks, topic.file)]
    return {"kind": topic.kind.value, "name": topic.name, "source": topic.source, "text": "\n".join(lines)}


def _by_kind(topics: Sequence[Topic]) -> Iterator[tuple[Kind, list[str]]]:
    for kind, group in groupby(topics, key=lambda topic: topic.kind):
        yield kind, [topic.name for topic in group]


def _topic(topic: Topic) -> tuple[Line, ...]:
    """Where it stands is a line that is not folded: it is to be copied."""
    title = Line((Span(topic.name, "strong"),))
    source = Line((Span(f"{_TITLES[topic.kind]}, {topic.source}"),), is_whole=True)
    return (title, source, Line(), *lines_of(topic.blocks, topic.file))


def _print(lines: Sequence[Line]) -> None:
    """On a terminal folded between words; elsewhere a line stays a line."""
    if not sys.stdout.isatty():
        for line in lines:
            say(f"{' ' * line.indent}{line.text}" if line.spans else "")
        return
    out = console()
    for line in lines:
        text = Text.assemble(*((span.text, _STYLES.get(span.style, "")) for span in line.spans))
        out.print(Padding(text, (0, 0, 0, line.indent)), soft_wrap=line.is_whole)
