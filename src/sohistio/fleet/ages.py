"""Ages and remaining days as people read them at a glance. Pure."""

from __future__ import annotations

DAY = 86400.0
_UNITS = (("d", DAY), ("h", 3600.0), ("min", 60.0))


def age(seconds: float | None) -> str:
    """`3 d`, `5 h`, `12 min` or `now`; `?` where nobody knows. What lies in the future (another clock) is now."""
    if seconds is None:
        return "?"
    return next((f"{seconds // size:.0f} {unit}" for unit, size in _UNITS if seconds >= size), "now")


def ago(seconds: float | None) -> str:
    """The same as part of a sentence."""
    words = age(seconds)
    return {"?": "of an unknown age", "now": "just now"}.get(words, f"{words} ago")


def left(seconds: float) -> str:
    """`23 d`, `5 h`, `12 min` or `expired`."""
    return "expired" if seconds <= 0 else age(seconds) if seconds >= _UNITS[-1][1] else "1 min"


def since(now: float, at: float | None) -> float | None:
    """The seconds between; None where nobody knows when it was."""
    return None if at is None else now - at
