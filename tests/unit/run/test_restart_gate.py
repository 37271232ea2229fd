"""A window that closes before a workload's turn comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from observed import stale, state
from sohistio.model.restart_policy import NO_RESTRAINT, OptOut, RestartPolicy, Restraint
from sohistio.model.restart_times import window_of
from sohistio.run.restart_gate import gate

PLANNED = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
WINDOW = RestartPolicy(windows=(window_of("Sat 02:00-04:00 UTC"),))


def test_what_comes_too_late_is_not_started() -> None:
    web = stale("web")
    times = iter((PLANNED + timedelta(minutes=89, seconds=59), PLANNED + timedelta(minutes=90)))
    held = gate(Restraint(WINDOW, PLANNED), state(workloads=(web,)), now=lambda: next(times))
    assert held(web.ref) == ""
    assert held(web.ref) == "outside its window; opens Sat 2026-12-05 02:00 UTC"


def test_what_is_being_replaced_already_is_not_held() -> None:
    web = stale("web")
    late = PLANNED + timedelta(hours=9)
    assert gate(Restraint(WINDOW, PLANNED), state(workloads=(web,)), {web.ref}, lambda: late)(web.ref) == ""


def test_on_call_only_opt_outs_count() -> None:
    late, late_for_all = stale("late"), PLANNED + timedelta(hours=9)
    seen = state(workloads=(late,))
    assert gate(Restraint(WINDOW, PLANNED, outside_windows=True), seen, now=lambda: late_for_all)(late.ref) == ""
    never = RestartPolicy(opted_out=(OptOut("shop/late", "x"),))
    assert gate(Restraint(never, PLANNED, outside_windows=True), seen)(late.ref) != ""


def test_without_a_restraint_all_may_start() -> None:
    web = stale("web")
    assert gate(NO_RESTRAINT, state(workloads=(web,)))(web.ref) == ""
