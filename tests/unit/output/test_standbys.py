"""A standby's readiness in a few words: the worst item, or the oldest, and how long ago it was looked at."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from sohistio.model.readiness import Outcome, ReadinessItem
from sohistio.output.console import SafeConsole
from sohistio.output.standbys import item_document, readiness_note, standbys_view
from sohistio.output.tables import show
from sohistio.planning.status import EnvironmentStatus, StandbyStatus

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)


def item(name: str, result: Outcome = Outcome.PASSED, at: str = "2026-11-27T00:00:00+00:00") -> ReadinessItem:
    return ReadinessItem(name, result, "as it was", at)


OLD = item("failover-dns", at="2026-11-20T00:00:00+00:00")
SLOW = item("failover-capacity", Outcome.WARNING)
GONE = item("failover-certificates", Outcome.FAILED, "2026-11-27T02:59:30+00:00")


@pytest.mark.parametrize(
    ("items", "note"),
    [
        ((), ""),
        ((item("failover-hook"), OLD), "readiness: all well, the oldest failover-dns, 7d ago"),
        ((OLD, SLOW), "readiness: failover-capacity warning, 3h ago"),
        ((OLD, SLOW, GONE), "readiness: failover-certificates failed and 1 more, just now"),
        (
            (item("failover-dns", at="2026-02-30T00:00:00+00:00"),),
            "readiness: all well, the oldest failover-dns, of an unknown age",
        ),
    ],
)
def test_a_note(items: tuple[ReadinessItem, ...], note: str) -> None:
    assert readiness_note(items, NOW) == note


def test_as_json() -> None:
    assert item_document(SLOW, NOW) == {
        "name": "failover-capacity",
        "result": "warning",
        "message": "as it was",
        "at": "2026-11-27T00:00:00+00:00",
        "ageSeconds": 10800,
    }


def test_a_standby_on_a_screen_of_100_columns() -> None:
    found = StandbyStatus("active", None, None, recorded=False, readiness=(OLD, SLOW, GONE))
    rows = [
        EnvironmentStatus("prod"),
        EnvironmentStatus("dr", standby=found),
        EnvironmentStatus("qa", standby=found, problem="it cannot be reached"),
    ]
    stream = io.StringIO()
    show(SafeConsole(stream, width=100), standbys_view(rows, NOW))
    first, second = stream.getvalue().splitlines()
    assert first.rstrip() == (
        "dr    failover: active (no record: DNS leads here), never rehearsed, never synced, readiness:"
    )
    assert second.strip() == "failover-certificates failed and 1 more, just now"
    assert max(len(first), len(second)) <= 100
