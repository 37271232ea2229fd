"""`sohistio status --output json`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sohistio.fleet.ages import DAY, since
from sohistio.fleet.row import Certificates, Drift, EnvironmentStatus, LastRun, StandbyStatus
from sohistio.fleet.state import state_of
from sohistio.model.record import run_document
from sohistio.output.standbys import item_document


def status_document(rows: Sequence[EnvironmentStatus], now: float) -> dict[str, Any]:
    """All rows; `now`, when they were looked at, is in seconds since 1970."""
    return {"at": _time(now), "environments": [_row(row, now) for row in rows]}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _row(row: EnvironmentStatus, now: float) -> dict[str, Any]:
    return {
        "environment": row.environment,
        "state": state_of(row).value,
        "cluster": row.cluster or None,
        "server": row.server or None,
        "installedVersion": row.installed or None,
        "targetVersion": row.target or None,
        "inSync": row.in_sync,
        "mode": row.mode or None,
        "pending": row.pending or None,
        "drift": _drift(row.drift) if row.drift is not None else None,
        "sidecars": {"stale": row.sidecars.stale, "leftAlone": row.sidecars.left_alone} if row.sidecars else None,
        "gateways": [
            {"name": g.ref.name, "namespace": g.ref.namespace, "ready": g.ready, "desired": g.desired}
            for g in row.gateways
        ],
        "address": {"wanted": row.ingress.wanted or None, "actual": list(row.ingress.actual)} if row.ingress else None,
        "certificates": _certificates(row.certificates, now) if row.certificates else None,
        "lastRun": run_document(row.last_run.entry) if row.last_run else None,
        "lastRunAgeSeconds": _age(row.last_run, now),
        "standby": _standby(row.standby, now) if row.standby else None,
        "lock": {"holder": row.lock.holder, "since": _time(row.lock.since)} if row.lock else None,
        "missing": list(row.missing),
        "problem": row.problem or None,
        "hint": row.hint or None,
    }


def _drift(found: Drift) -> dict[str, Any]:
    return {
        "objects": found.objects,
        "fields": found.fields,
        "byHand": found.by_hand,
        "editors": list(found.editors),
    }


def _certificates(found: Certificates, now: float) -> dict[str, Any]:
    ends = found.expires
    return {
        "first": found.name or None,
        "expires": None if ends is None else _time(ends),
        "daysLeft": None if ends is None else int((ends - now) // DAY),
        "soon": list(found.soon),
        "unread": list(found.unread),
    }


def _standby(found: StandbyStatus, now: float) -> dict[str, Any]:
    return {
        "stage": found.stage or None,
        "recorded": found.recorded,
        "lastRehearsal": found.rehearsed.entry.ended if found.rehearsed else None,
        "lastRehearsalAgeSeconds": _age(found.rehearsed, now),
        "lastSync": found.synced.entry.ended if found.synced else None,
        "lastSyncAgeSeconds": _age(found.synced, now),
        "lastSyncLeft": found.left if found.synced else None,
        "readiness": [item_document(item, now) for item in found.readiness],
    }


def _age(run: LastRun | None, now: float) -> int | None:
    seconds = since(now, run.at) if run else None
    return None if seconds is None else max(0, round(seconds))
