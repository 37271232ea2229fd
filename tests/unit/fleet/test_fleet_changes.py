"""What changed between two looks: what an environment is, not how old it has become."""

from __future__ import annotations

from dataclasses import replace

import fleet
from fleet import DAY, NOW, in_sync
from sohistio.fleet.cells import Column
from sohistio.fleet.changes import changes_between

DEV, QA = in_sync("dev"), in_sync("qa")


def test_nothing_changes_by_waiting() -> None:
    rows = fleet.fleet()
    assert changes_between(rows, rows, NOW + 10 * DAY) == ()


def test_each_cell_that_says_something_else() -> None:
    found = changes_between([DEV, QA], [DEV, fleet.drifted("qa")], NOW)
    assert {change.environment for change in found} == {"qa"}
    lines = [change.line() for change in found]
    assert "qa: state in sync → drift" in lines
    assert "qa: gateways egressgateway 3/3, ingressgateway 3/3 → egressgateway 2/3, ingressgateway 0/3" in lines
    assert "qa: last run install done by ann, 3 d ago → install failed by bob, 5 h ago" in lines
    assert Column.VERSION not in {change.column for change in found}


def test_a_standby_that_was_synced_and_rehearsed() -> None:
    found = changes_between([fleet.standby("dr")], [replace(fleet.standby("dr"), standby=None)], NOW)
    assert [change.column for change in found] == [Column.SYNCED, Column.REHEARSED]


def test_another_problem_in_the_same_state() -> None:
    away = fleet.away("qa")
    (change,) = changes_between([away], [replace(away, problem="it did not answer within 90 s")], NOW)
    assert change.line().endswith("connection refused → it did not answer within 90 s")


def test_an_environment_that_was_not_there_before_has_not_changed() -> None:
    assert changes_between([DEV], [DEV, QA], NOW) == ()
