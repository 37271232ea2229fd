"""Ages and remaining days as people read them at a glance. Pure."""

from __future__ import annotations

from sohistio.model.words import counted

DAY = 86_400
CLOCKS_DIFFER = 300.0
"""Seconds by which the clocks of two machines may."""
_UNITS = (("d", "day", DAY), ("h", "hour", 3600), ("min", "minute", 60))


def age(seconds: float | None) -> str:
    """`3 d`, `5 h`, `12 min` or `now`; `?` where nobody knows, and of what lies in the future."""
    if seconds is None or seconds < -CLOCKS_DIFFER:
        return "?"
    return _short(seconds) or "now"


def ago(seconds: float | None) -> str:
    """The same as part of a sentence."""
    words = age(seconds)
    return {"?": "of an unknown age", "now": "just now"}.get(words, f"{words} ago")


def left(seconds: float) -> str:
    """`23 d`, `5 h`, `12 min` or `expired`."""
    return "expired" if seconds <= 0 else _short(seconds) or "1 min"


def lasting(seconds: float) -> str:
    """For how long something has been: `3 d`, `5 h`, `12 min`."""
    return _short(seconds) or "less than 1 min"


def waiting(seconds: float) -> str:
    """For how long one has to wait: the same, rounded up."""
    return next((f"{-(-seconds // size):.0f} {unit}" for unit, _, size in _UNITS if seconds >= size), "1 min")


def spelled(seconds: float) -> str:
    """The same in a sentence of its own: `3 days`, `1 hour`, `12 minutes`."""
    found = ((seconds // size, name) for _, name, size in _UNITS if seconds >= size)
    return next((counted(int(count), name) for count, name in found), "less than a minute")


def _short(seconds: float) -> str:
    """In the largest unit that fits, rounded down; empty below a minute."""
    return next((f"{seconds // size:.0f} {unit}" for unit, _, size in _UNITS if seconds >= size), "")


def since(now: float, at: float | None) -> float | None:
    """The seconds between; None where nobody knows when it was."""
    return None if at is None else now - at
