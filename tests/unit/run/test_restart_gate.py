"""A window that closes before a workload's turn comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from observed import stale, state
from sohistio.model.restart_policy import NO_RESTRAINT, OptOut, RestartPolicy, Restraint
from sohistio.model.restart_times import window_of
from sohistio.run.restart_gate import Gate

PLANNED = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
WINDOW = RestartPolicy(windows=(window_of("Sat 02:00-04:00 UTC"),))


def test_what_comes_too_late_is_not_started_and_remembered() -> None:
    early, late = stale("early"), stale("late")
    gate = Gate(Restraint(WINDOW, PLANNED), state(workloads=(early, late)))
    assert gate.held(early, PLANNED + timedelta(minutes=89, seconds=59)) == ""
    assert gate.held(late, PLANNED + timedelta(minutes=90)) == "outside its window; opens Sat 2026-12-05 02:00 UTC"
    assert gate.refused == {late.ref}


def test_on_call_only_opt_outs_count() -> None:
    late = stale("late")
    restraint = Restraint(WINDOW, PLANNED, outside_windows=True)
    assert Gate(restraint, state()).held(late, PLANNED + timedelta(hours=9)) == ""
    never = RestartPolicy(opted_out=(OptOut("shop/late", "x"),))
    assert Gate(Restraint(never, PLANNED, outside_windows=True), state()).held(late, PLANNED) != ""


def test_without_a_restraint_all_may_start() -> None:
    assert Gate(NO_RESTRAINT, state()).held(stale(), PLANNED) == ""
