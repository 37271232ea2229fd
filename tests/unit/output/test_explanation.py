"""An explanation in a pipe: a line is a line, nothing of Markdown is left, where it stands comes second."""

from __future__ import annotations

import pytest

from sohistio.explanations.markdown import Paragraph, Table
from sohistio.explanations.topics import Kind, Topic
from sohistio.output.explanation import show_list, show_topics, topic_document

BLOCKS = (
    Paragraph("Fits, **as many** as `minReplicas` says. " + "And so on. " * 20),
    Paragraph("one [more](on-call.md#at-night)", bullet=True),
    Table(("it says", "do"), (("a ##vso[x] b", "`kubectl`"),)),
)
TOPIC = Topic(Kind.CHECK, "capacity", "docs/preflight.md", "capacity", BLOCKS)


def test_a_topic(capsys: pytest.CaptureFixture[str]) -> None:
    show_topics((TOPIC, TOPIC))
    lines = capsys.readouterr().out.splitlines()
    whole = "Fits, as many as minReplicas says. " + "And so on. " * 20
    assert [line.rstrip() for line in lines[:9]] == [
        "capacity",
        "a check before a run, docs/preflight.md#capacity",
        "",
        whole.strip(),
        "",
        "  - one more (docs/on-call.md#at-night)",
        "",
        "a ##vso[x] b",
        "  kubectl",
    ]
    assert lines[9:11] == ["", "capacity"]


def test_its_document_has_the_same_text() -> None:
    document = topic_document(TOPIC)
    assert document["source"] == "docs/preflight.md#capacity"
    assert str(document["text"]).endswith("\n\na ##vso[x] b\n  kubectl")


def test_what_can_be_explained(capsys: pytest.CaptureFixture[str]) -> None:
    error = Topic(Kind.ERROR, "the run lost its lock", "docs/troubleshooting.md", "x", ())
    show_list((TOPIC, Topic(Kind.EXIT_CODE, "0", "docs/modes-and-safety.md", "exit-codes", ()), error))
    assert capsys.readouterr().out == (
        "Checks before a run\n  capacity\n\nExit codes\n  0\n\n"
        "Errors\n  1 of them, by a few of their words: sohistio explain another run\n"
    )
