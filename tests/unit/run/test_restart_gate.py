"""A window that closes before a workload's turn comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from observed import stale, state
from sohistio.model.restart_policy import NO_RESTRAINT, OptOut, RestartPolicy, Restraint
from sohistio.model.restart_times import window_of
from sohistio.model.restart_window import Around
from sohistio.model.state import ObservedNamespace
from sohistio.run.restart_gate import gate

PLANNED = datetime(2026, 11, 28, 2, 30, tzinfo=UTC)
WINDOW = RestartPolicy(windows=(window_of("Sat 02:00-04:00 UTC"),))


def test_what_comes_too_late_is_not_started() -> None:
    web = stale("web")
    times = iter((PLANNED + timedelta(minutes=89, seconds=59), PLANNED + timedelta(minutes=90)))
    held = gate(Restraint(WINDOW, PLANNED), state(workloads=(web,)), now=lambda: next(times))
    assert held(web.ref, {}, None) == ""
    assert held(web.ref, {}, None) == "outside its window; opens Sat 2026-12-05 02:00 UTC"


def test_what_is_being_replaced_already_is_not_held() -> None:
    web = stale("web")
    late = PLANNED + timedelta(hours=9)
    assert gate(Restraint(WINDOW, PLANNED), state(workloads=(web,)), {web.ref}, lambda: late)(web.ref, {}, None) == ""


def test_on_call_only_opt_outs_count() -> None:
    late, late_for_all = stale("late"), PLANNED + timedelta(hours=9)
    seen = state(workloads=(late,))
    assert (
        gate(Restraint(WINDOW, PLANNED, outside_windows=True), seen, now=lambda: late_for_all)(late.ref, {}, None) == ""
    )
    never = RestartPolicy(opted_out=(OptOut("shop/late", "x"),))
    assert gate(Restraint(never, PLANNED, outside_windows=True), seen)(late.ref, {}, None) != ""


def test_without_a_restraint_all_may_start() -> None:
    web = stale("web")
    assert gate(NO_RESTRAINT, state(workloads=(web,)))(web.ref, {}, None) == ""


INJECTED = Around({}, "enabled", None)


@pytest.mark.parametrize(
    ("own", "around", "why"),
    [
        pytest.param({}, INJECTED, "", id="as-it-was"),
        pytest.param({"sohistio.io/restart": "never"}, INJECTED, "opted out of restarts by its annotation", id="never"),
        pytest.param({"sohistio.io/restart-windowz": "x"}, INJECTED, "there is no annotation", id="unreadable"),
        pytest.param({"sohistio.io/restart-windows": "Sun 00:00-01:00 UTC"}, INJECTED, "outside its window", id="shut"),
        pytest.param({"sohistio.io/restart-freezes": "2026-11-28 UTC"}, INJECTED, "frozen", id="frozen"),
        pytest.param(
            {},
            replace(INJECTED, annotations={"sohistio.io/restart": "never"}),
            "opted out of restarts by the annotation of namespace shop",
            id="its-namespace",
        ),
        pytest.param({}, replace(INJECTED, injection="disabled"), "may get no sidecar any more", id="not-injected"),
        pytest.param({}, replace(INJECTED, revision="canary"), "may get no sidecar any more", id="of-a-revision"),
    ],
)
def test_what_somebody_says_while_a_run_works(own: dict[str, str], around: Around, why: str) -> None:
    """Annotations and labels are those of the moment at which its turn comes."""
    web = stale("web")
    place = ObservedNamespace("shop", injected=True, injection="enabled")
    seen = state(workloads=(web,), namespaces=(place,))
    said = gate(Restraint(RestartPolicy(), PLANNED), seen, now=lambda: PLANNED)(web.ref, own, around)
    assert why in said
    assert bool(said) is bool(why)
