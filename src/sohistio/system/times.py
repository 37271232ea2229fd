"""Times as text, which others may have written."""

from __future__ import annotations

from datetime import UTC, datetime


def seconds_since_1970(text: str) -> float | None:
    """Of an ISO 8601 time, in UTC where it names no zone; None for what is no time: anybody may edit a record."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
