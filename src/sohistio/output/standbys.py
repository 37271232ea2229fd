"""Standbys in `sohistio status`: what an on-call wants to know of them in peace, and how old each item is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sohistio.fleet.row import LastRun, StandbyStatus
from sohistio.model.ages import ago, since
from sohistio.model.readiness import Outcome, ReadinessItem
from sohistio.model.words import counted
from sohistio.system.times import seconds_since_1970


def standby_line(found: StandbyStatus, now: float) -> str:
    """All of it in one line. `now` is in seconds since 1970."""
    done = (("rehearsed", found.rehearsed), ("synced", found.synced)) if found.stands_by else ()
    ages = [_done(what, run, now) for what, run in done]
    if ages and found.synced and found.left:
        ages[-1] += f" with {counted(found.left, 'difference')} left"
    stage = found.stage if found.recorded else f"{found.stage} (no record: DNS leads here)"
    noted = readiness_note(found.readiness, now)
    return ", ".join([f"failover: {stage}"] * bool(stage) + ages + [noted] * bool(noted))


def _done(what: str, run: LastRun | None, now: float) -> str:
    return f"{what} {ago(since(now, run.at))}" if run else f"never {what}"


def readiness_note(items: Sequence[ReadinessItem], now: float) -> str:
    """The worst item, or where all hold the oldest one, with its age; empty where nothing was ever looked at."""
    if not items:
        return ""
    bad = sorted((item for item in items if item.result.is_bad), key=lambda item: list(Outcome).index(item.result))
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        return f"readiness: {bad[0].name} {bad[0].result}{more}, {ago(_seconds(bad[0], now))}"
    oldest = min(items, key=lambda item: item.at)
    return f"readiness: all well, the oldest {oldest.name}, {ago(_seconds(oldest, now))}"


def item_document(item: ReadinessItem, now: float) -> dict[str, Any]:
    """As JSON, with the age in seconds; null where somebody made its time unreadable."""
    seconds = _seconds(item, now)
    return item.document() | {"ageSeconds": None if seconds is None else round(seconds)}


def _seconds(item: ReadinessItem, now: float) -> float | None:
    at = seconds_since_1970(item.at)
    return None if at is None else max(0.0, now - at)
