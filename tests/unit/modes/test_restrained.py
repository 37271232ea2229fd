"""A plan's restarts under the restart policy: stages, what is held back, and when nothing is left to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from observed import pod, sidecar, stale, state, workload
from sohistio.model.desired import DesiredMesh
from sohistio.model.held_back import Why
from sohistio.model.mode import Mode
from sohistio.model.refused_pod import Refusal
from sohistio.model.restart_policy import NO_RESTRAINT, OptOut, RestartPolicy, Restraint, Share, held_in
from sohistio.model.restart_times import window_of
from sohistio.model.sidecar import RESTARTED_FOR
from sohistio.model.state import ClusterState, ObjectRef, ObservedNamespace
from sohistio.model.versions import Version
from sohistio.modes.decide import Decision
from sohistio.modes.planner import Subject, make_plan, restart_plan
from sohistio.modes.skew import left_behind, newer_proxies
from sohistio.plan.changes import Changes
from sohistio.plan.diff import does_no_more
from sohistio.plan.plan import Plan
from sohistio.plan.steps import LeftAlone, RestartWorkloads

FRIDAY = datetime(2026, 11, 27, 22, 17, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 28, 1, 30, tzinfo=UTC)
TODAY, NEXT = Version(1, 31, 1), Version(1, 31, 2)
WINDOW = RestartPolicy(windows=(window_of("Sat 02:00-04:00 Europe/Berlin"),))


def cluster(*names: str, **changes: object) -> ClusterState:
    return state(workloads=tuple(stale(name) for name in names), **changes)


def planned(seen: ClusterState, policy: RestartPolicy, now: datetime = FRIDAY, share: Share | None = None) -> Plan:
    restraint = Restraint(policy, now, share=share)
    return restart_plan(Subject("qa", "1.31.1", seen, restraint), DesiredMesh(TODAY, "", (), (), sidecar()))


def test_without_a_policy_a_plan_is_as_it_was() -> None:
    seen = cluster("api", "web")
    without = restart_plan(Subject("qa", "1.31.1", seen, NO_RESTRAINT), DesiredMesh(TODAY, "", (), (), sidecar()))
    assert planned(seen, RestartPolicy()) == without
    assert [step.id for step in without.steps] == ["sidecars/restart", "verify/mesh"]


def test_stages_are_steps_of_their_own() -> None:
    seen = state(workloads=(*cluster("api", "db", "web").workloads, workload("off", desired=0, pods=())))
    plan = planned(seen, RestartPolicy(canary=("shop/web",)))
    canary, rest = (step for step in plan.steps if isinstance(step, RestartWorkloads))
    assert (canary.id, canary.summary) == (
        "sidecars/restart-canary",
        "canary: restart 1 workload without the sidecar proxyv2:1.31.1",
    )
    assert (rest.id, rest.summary) == ("sidecars/restart", "restart 2 workloads without the sidecar proxyv2:1.31.1")
    assert [ref.name for ref in canary.workloads] == ["web"]
    assert canary.left_alone == ()
    assert rest.left_alone == (LeftAlone(seen.workloads[3].ref, "scaled to zero: new pods get the current sidecar"),)
    assert plan.held_back == ()


@pytest.mark.parametrize(
    ("ready", "restarted", "goes_on"),
    [(0, True, False), (1, True, False), (2, True, True), (0, False, True)],
    ids=["gone", "half", "up", "never-restarted"],
)
def test_a_canary_that_is_down_since_its_restart_holds_the_others(ready: int, restarted: bool, goes_on: bool) -> None:
    """Its old pods may be gone, so that it needs no restart any more."""
    marks = {"sohistio/restarted-for": "x"} if restarted else {}
    canary = workload(
        "canary", desired=2, pods=(pod("1.31.1"),) * ready, template={"metadata": {"annotations": marks}, "spec": {}}
    )
    plan = planned(state(workloads=(canary, stale("web"))), RestartPolicy(canary=("shop/canary",)))
    steps = [step.id for step in plan.steps if isinstance(step, RestartWorkloads)]
    assert steps == (["sidecars/restart"] if goes_on else [])
    held = [(item.ref.name, item.why, item.reason) for item in plan.held_back]
    reason = "its canary has not come up since its restart: Deployment shop/canary"
    assert held == ([] if goes_on else [("web", Why.CANARY, reason)])


def test_outside_all_windows_nothing_is_to_be_done_and_all_are_named() -> None:
    seen = cluster("api", "web")
    plan = planned(seen, WINDOW)
    assert (plan.phases, plan.changes_pending) == ((), False)
    assert [(item.ref.name, item.opens) for item in plan.held_back] == [
        ("api", "2026-11-28T01:00:00Z"),
        ("web", "2026-11-28T01:00:00Z"),
    ]
    later = planned(seen, WINDOW, SATURDAY)
    assert (len(later.steps), later.held_back) == (2, ())
    assert not does_no_more(later, plan), "what was held back was not approved"
    assert does_no_more(plan, later)


def test_when_a_window_opens_next_is_no_part_of_the_digest() -> None:
    policy = replace(WINDOW, opted_out=(OptOut("shop/api", "x"),))
    plan = planned(cluster("api"), policy)
    assert replace(plan, held_back=()).digest() == plan.digest()


def test_of_an_upgrade_the_other_steps_remain() -> None:
    mesh = DesiredMesh(NEXT, "", (), (), sidecar("1.31.2"))
    decision = Decision(Mode.UPGRADE, ("older",), TODAY, hops=(NEXT,))
    seen = state(workloads=(workload("web"),))
    for policy, ids in ((RestartPolicy(), {"sidecars/restart"}), (WINDOW, set())):
        subject = Subject("qa", "1.31.2", seen, Restraint(policy, FRIDAY))
        plan = make_plan(subject, decision, (mesh,), Changes())
        found = {step.id for step in plan.steps}
        assert found >= {"control-plane/install", "verify/mesh"}
        assert {name for name in found if name.startswith("sidecars")} == ids
        assert len(plan.held_back) == (not ids)


def test_others_go_on_without_a_canary_that_is_held_back() -> None:
    policy = RestartPolicy(canary=("shop/web",), opted_out=(OptOut("shop/web", "x"),))
    plan = planned(cluster("api", "web"), policy)
    assert plan.notices == ("others are restarted although their canary is not: Deployment shop/web",)
    assert planned(cluster("web"), policy).notices == ()


def test_others_go_on_without_a_canary_whose_new_pods_would_be_refused() -> None:
    seen = cluster("api", "web")
    ref = seen.workloads[1].ref
    plan = planned(replace(seen, refused={ref: Refusal("a webhook", real=True)}), RestartPolicy(canary=("shop/web",)))
    assert plan.notices == (f"others are restarted although their canary is not: {ref}",)


def test_others_go_on_without_a_canary_that_is_not_in_the_share() -> None:
    half = Share(percent=50)
    (left,) = planned(cluster("api", "web"), RestartPolicy(), share=half).held_back
    plan = planned(cluster("api", "web"), RestartPolicy(canary=(f"shop/{left.ref.name}",)), share=half)
    assert plan.notices == (f"others are restarted although their canary is not: {left.ref}",)


def test_an_annotation_that_cannot_be_read_is_said_once() -> None:
    seen = state(workloads=(stale("web", annotations={"sohistio.io/restart": "nein"}),))
    plan = planned(seen, RestartPolicy())
    assert plan.phases == ()
    assert plan.notices == ()
    assert [(item.why, item.reason) for item in plan.held_back] == [
        (Why.ANNOTATION, "annotation sohistio.io/restart is 'nein', expected never")
    ]


def test_sidecars_that_no_restart_changes_are_a_notice_where_nothing_is_to_be_done() -> None:
    by_hand = pod("1.30.5", annotations={RESTARTED_FOR: sidecar().image_for({})})
    odd = tuple(workload(name, pods=(by_hand,)) for name in ("a", "b"))
    (notice,) = planned(state(workloads=odd), RestartPolicy()).notices
    assert notice.startswith(
        "Deployment shop/a, Deployment shop/b: its pods run docker.io/istio/proxyv2:1.30.5, although "
    )
    assert "docker.io/istio/proxyv2:1.31.1" in notice
    assert "`kubectl -n shop delete pod web-1`" in notice
    assert planned(state(workloads=(workload("a"),)), RestartPolicy()).notices == ()
    assert planned(state(workloads=(*odd, stale("due"))), RestartPolicy()).notices == (), "the restart's step has them"
    seen = state(workloads=(*odd, stale("due")))
    assert len(planned(seen, WINDOW).notices) == 1, "no step is left that has them"


def test_a_share_is_of_what_may_be_restarted() -> None:
    names = [f"w{number}" for number in range(10)]
    policy = RestartPolicy(opted_out=tuple(OptOut(f"shop/{name}", "x") for name in names[:4]))
    plan = planned(cluster(*names), policy, share=Share(count=4))
    (step,) = (step for step in plan.steps if isinstance(step, RestartWorkloads))
    assert len(step.workloads) == 4
    assert sorted(item.why for item in plan.held_back) == ["limit"] * 2 + ["optOut"] * 4


@pytest.mark.parametrize(("version", "left"), [("1.30.5", True), ("1.29.4", False), ("1.31.1", True)])
def test_sidecars_that_stay_and_would_be_too_old_are_a_fault(version: str, left: bool) -> None:
    place = ObservedNamespace("shop", injected=True, injection="enabled")
    old = replace(stale("web"), pods=(replace(stale().pods[0], proxy_image=f"docker.io/istio/proxyv2:{version}"),))
    seen = state(workloads=(old,), carriers=(old,), namespaces=(place,))
    faults = list(left_behind(seen, TODAY, held_in(Restraint(WINDOW, FRIDAY), seen, seen.workloads)))
    assert (not faults) is left
    assert list(left_behind(seen, TODAY, held_in(Restraint(WINDOW, SATURDAY), seen, seen.workloads))) == []
    if faults:
        assert faults[0].rule == "proxy-skew"
        assert faults[0].message == (
            "istiod 1.31.1 does not support sidecars of 1.29.4: Deployment shop/web, which is not restarted now: "
            "outside its window; opens Sat 2026-11-28 02:00 Europe/Berlin"
        )


def test_sidecars_newer_than_the_istiod_gone_back_to_are_found() -> None:
    seen = state(workloads=(workload("api"), stale("db"), workload("web")))
    held = held_in(Restraint(WINDOW, FRIDAY), seen, seen.workloads[:2]).values()
    assert [ref.name for ref in newer_proxies(seen, Version(1, 30, 5), held)] == ["api"]


def test_refs_of_the_two_stages_do_not_overlap() -> None:
    seen = state(workloads=tuple(stale(f"w{n}", ref=ObjectRef("Deployment", f"n{n % 3}", f"w{n}")) for n in range(9)))
    plan = planned(seen, RestartPolicy(canary=("n0", "n1/w1"), namespaces=("n0", "n1")))
    listed = [ref for step in plan.steps if isinstance(step, RestartWorkloads) for ref in step.workloads]
    assert sorted(listed) == sorted(w.ref for w in seen.workloads)
