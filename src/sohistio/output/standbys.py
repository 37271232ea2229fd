"""Standbys in `sohistio status`: what an on-call wants to know of them in peace, and how old each item is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from sohistio.model.readiness import Outcome, ReadinessItem
from sohistio.planning.status import EnvironmentStatus, StandbyStatus

_UNITS = (("d", 86400), ("h", 3600), ("m", 60))


def standbys_view(rows: Sequence[EnvironmentStatus], now: datetime) -> Table:
    """A row for each standby, and for a side that was left."""
    table = Table(box=None, padding=(0, 2), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        if row.standby is not None and not row.problem:
            table.add_row(row.environment, Text(_line(row.standby, now), style="dim"))
    return table


def _line(found: StandbyStatus, now: datetime) -> str:
    runs = (("rehearsed", found.rehearsed), ("synced", found.synced))
    ages = [f"{what} {run.ended[:10]}" if run else f"never {what}" for what, run in runs]
    if found.synced and found.left:
        ages[-1] += f" with {found.left} difference{'' if found.left == 1 else 's'} left"
    stage = found.stage if found.recorded else f"{found.stage} (no record: DNS leads here)"
    noted = readiness_note(found.readiness, now)
    return ", ".join([f"failover: {stage}"] * bool(stage) + ages + [noted] * bool(noted))


def readiness_note(items: Sequence[ReadinessItem], now: datetime) -> str:
    """The worst item, or where all hold the oldest one, with its age; empty where nothing was ever looked at."""
    if not items:
        return ""
    bad = sorted((item for item in items if item.result.is_bad), key=lambda item: list(Outcome).index(item.result))
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        return f"readiness: {bad[0].name} {bad[0].result}{more}, {_age(bad[0], now)}"
    oldest = min(items, key=lambda item: item.at)
    return f"readiness: all well, the oldest {oldest.name}, {_age(oldest, now)}"


def item_document(item: ReadinessItem, now: datetime) -> dict[str, Any]:
    """As JSON, with the age in seconds; null where somebody made its time unreadable."""
    seconds = _seconds(item, now)
    return item.document() | {"ageSeconds": None if seconds is None else round(seconds)}


def _age(item: ReadinessItem, now: datetime) -> str:
    seconds = _seconds(item, now)
    if seconds is None:
        return "of an unknown age"
    return next((f"{seconds // size:.0f}{unit} ago" for unit, size in _UNITS if seconds >= size), "just now")


def _seconds(item: ReadinessItem, now: datetime) -> float | None:
    try:
        return max(0.0, (now - datetime.fromisoformat(item.at)).total_seconds())
    except (ValueError, TypeError):
        return None
