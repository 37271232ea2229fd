"""A reason as it is recorded: one line, bounded, with nothing in it that a terminal or an agent obeys."""

from __future__ import annotations

import json

import pytest

from sohistio.commands.reason import LONGEST_REASON, reason_of
from sohistio.errors import UsageError


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        (None, ""),
        ("", ""),
        (" \n ", ""),
        ("$(changeNumber)", ""),  # a variable of Azure DevOps without a value
        ("$(changeNumber) $(changeText)", ""),
        ("\u200b \u2060", ""),  # nothing that anybody sees
        ("\u202e\x01.", ""),
        ("\u3164", ""),
        ("CHG0012345", "CHG0012345"),
        ("- a list", "- a list"),
        ("  CHG0012345\r\n\tmonthly   patch\n", "CHG0012345 monthly patch"),
        ("CHG1 $(x) y", "CHG1 $(x) y"),
        ("red \x1b[31m", "red \\x1b[31m"),
        ("\u202eback", "\\u202eback"),
        ("half \udcff", "half \\udcff"),  # what a shell gives for a byte that is no UTF-8
        ("x" * LONGEST_REASON, "x" * LONGEST_REASON),
        ("x" * (LONGEST_REASON + 1), "x" * (LONGEST_REASON - 1) + "…"),
    ],
)
def test_reason(given: str | None, recorded: str) -> None:
    found = reason_of(given)
    assert found == recorded
    assert json.loads(json.dumps(found)).encode().decode() == found


@pytest.mark.parametrize("given", ["--yes", "-y", "--", "-", "--confirm prod"])
def test_a_flag_that_was_swallowed(given: str) -> None:
    """`--reason $CHG --yes` where CHG is empty."""
    with pytest.raises(UsageError) as caught:
        reason_of(given)
    assert given in caught.value.what
    assert "variable" in caught.value.todo
