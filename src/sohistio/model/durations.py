"""Durations as people write them: a whole number with s, m, h or d."""

from __future__ import annotations

import re

DURATION = r"^[1-9][0-9]{0,4}[smhd]$"
LONGEST = "99999h"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str) -> int:
    """The seconds of a duration such as 90s, 5m, 1h or 30d. Raises ValueError."""
    if re.fullmatch(r"[1-9][0-9]{5,}[smhd]", text):
        raise ValueError(f"too long: the number has at most 5 digits, as {LONGEST} has")
    if not re.fullmatch(DURATION, text):
        raise ValueError("expected a duration such as 90s, 5m, 1h or 30d")
    return int(text[:-1]) * _UNITS[text[-1]]


def duration_of(seconds: int) -> str:
    """Seconds in the largest of h, m and s that has no remainder."""
    unit = next(unit for unit in "hms" if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"
