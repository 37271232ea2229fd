"""Ages and what is left, as people read them: one rule, whoever shows them."""

from __future__ import annotations

import pytest

from sohistio.model.ages import DAY, age, ago, lasting, left, spelled, waiting


@pytest.mark.parametrize(
    ("seconds", "words", "sentence"),
    [
        (None, "?", "of an unknown age"),
        (-5.0, "now", "just now"),
        (-300.0, "now", "just now"),
        (-301.0, "?", "of an unknown age"),  # a wrong clock, or an edited record
        (59.0, "now", "just now"),
        (60.0, "1 min", "1 min ago"),
        (7199.0, "1 h", "1 h ago"),
        (3 * DAY + 3600, "3 d", "3 d ago"),
    ],
)
def test_ages(seconds: float | None, words: str, sentence: str) -> None:
    assert (age(seconds), ago(seconds)) == (words, sentence)


@pytest.mark.parametrize(("seconds", "words"), [(0.0, "expired"), (1.0, "1 min"), (3600, "1 h"), (DAY * 30, "30 d")])
def test_what_is_left(seconds: float, words: str) -> None:
    assert left(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "short", "long", "rounded_up"),
    [
        (-20, "less than 1 min", "less than a minute", "1 min"),
        (59, "less than 1 min", "less than a minute", "1 min"),
        (60, "1 min", "1 minute", "1 min"),
        (61, "1 min", "1 minute", "2 min"),
        (7199, "1 h", "1 hour", "2 h"),
        (25 * 3600, "1 d", "1 day", "2 d"),
        (3 * DAY, "3 d", "3 days", "3 d"),
    ],
)
def test_how_long(seconds: float, short: str, long: str, rounded_up: str) -> None:
    assert (lasting(seconds), spelled(seconds), waiting(seconds)) == (short, long, rounded_up)
