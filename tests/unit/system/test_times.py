"""Times that anybody may have written."""

from __future__ import annotations

import pytest

from sohistio.system.times import seconds_since_1970


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:10+00:00", 10.0),
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T01:00:00.5+01:00", 0.5),
        ("1970-01-02", 86400.0),
        ("1970-01-01T00:00:10", 10.0),
        ("0001-01-01T00:00:00+01:00", -62135600400.0),
        ("2026-02-30T00:00:00+00:00", None),
        ("0000-01-01T00:00:00+00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_seconds_since_1970(text: str, seconds: float | None) -> None:
    assert seconds_since_1970(text) == seconds
