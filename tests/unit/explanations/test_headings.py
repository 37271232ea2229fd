"""Headings and their anchors, as a Git host makes them."""

from __future__ import annotations

import pytest

from sohistio.explanations.headings import anchor_of, headings


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("Exit codes", "exit-codes"),
        ("Nothing was touched: exit code 2", "nothing-was-touched-exit-code-2"),
        ('"another run is active on this cluster" (exit 3)', "another-run-is-active-on-this-cluster-exit-3"),
        ("`pull-secret`, and *others*", "pull-secret-and-others"),
        ("[Linked](page.md) a_b", "linked-a_b"),
        ("A — b", "a--b"),
        ("A Prometheus of your own", "a-prometheus-of-your-own"),
    ],
)
def test_anchors(title: str, anchor: str) -> None:
    assert anchor_of(title) == anchor


def test_the_second_heading_of_the_same_words_has_a_number() -> None:
    found = [
        (one.line, one.level, one.title, one.anchor) for one in headings("# A\n## B\n## A\n```\n# C\n```\n### A #\n")
    ]
    assert found == [(1, 1, "A", "a"), (2, 2, "B", "b"), (3, 2, "A", "a-1"), (7, 3, "A", "a-2")]
