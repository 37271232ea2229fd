"""A standby's readiness in a few words: the worst item, or the oldest, and how long ago it was looked at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import fleet
from sohistio.fleet.row import StandbyStatus
from sohistio.model.readiness import Outcome, ReadinessItem
from sohistio.output.standbys import item_document, readiness_note, standby_line

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC).timestamp()


def item(name: str, result: Outcome = Outcome.PASSED, at: str = "2026-11-27T00:00:00+00:00") -> ReadinessItem:
    return ReadinessItem(name, result, "as it was", at)


OLD = item("failover-dns", at="2026-11-20T00:00:00+00:00")
SLOW = item("failover-capacity", Outcome.WARNING)
GONE = item("failover-certificates", Outcome.FAILED, "2026-11-27T02:59:30+00:00")


@pytest.mark.parametrize(
    ("items", "note"),
    [
        ((), ""),
        ((item("failover-hook"), OLD), "readiness: all well, the oldest failover-dns, 7 d ago"),
        ((OLD, SLOW), "readiness: failover-capacity warning, 3 h ago"),
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


def test_a_standby_in_a_line() -> None:
    found = StandbyStatus("active", None, None, recorded=False, readiness=(OLD, SLOW, GONE))
    assert standby_line(found, NOW) == (
        "failover: active (no record: DNS leads here), never rehearsed, never synced, readiness: "
        "failover-certificates failed and 1 more, just now"
    )
    found = StandbyStatus("", fleet.last_run(None), fleet.last_run(7200), left=1)
    assert standby_line(found, fleet.NOW) == "rehearsed of an unknown age, synced 2 h ago with 1 difference left"


def test_the_side_that_it_stands_by_for_in_a_line() -> None:
    """It is neither rehearsed nor synced, whatever its record has of a time when it was."""
    found = StandbyStatus("drained", None, fleet.last_run(7200), left=1, stands_by=False)
    assert standby_line(found, fleet.NOW) == "failover: drained"
