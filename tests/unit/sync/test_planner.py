"""The plan of a sync: its steps, when a backup comes first, and what it is refused for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from configured import SPEC, configured, side, synced
from sohistio.model.state import ClusterState, MeshDeployment, ObjectRef
from sohistio.model.sync import SyncRules
from sohistio.model.versions import Version
from sohistio.plan.changes import Changes
from sohistio.plan.plan import Plan
from sohistio.sync.differences import Difference, Subject
from sohistio.sync.objects import compare_objects
from sohistio.sync.planner import Decided, TargetFacts, sync_plan
from sohistio.sync.report import Comparison, Lag

FACTS = TargetFacts(ClusterState("https://dr"), Version(1, 31, 1))
OTHER = SPEC | {"http": [{"timeout": "9s"}]}


def decided(
    source: list[dict[str, Any]],
    target: list[dict[str, Any]],
    facts: TargetFacts = FACTS,
    more: tuple[Difference, ...] = (),
) -> Decided:
    found = compare_objects(side("prod", *source), side("dr", *target), SyncRules())
    servers = ("https://prod", "https://dr")
    differences = (*found.reported, *more)
    changes = Changes(found.changes)
    comparison = Comparison("prod", "dr", servers, changes, differences, (), ("", ""), len(source), Lag(0))
    facts = replace(facts, paths=tuple(f"/{item.ref.name}" for item in found.surplus))
    return sync_plan(comparison, found, facts)


def summaries(plan: Plan) -> list[str]:
    return [step.summary for step in plan.steps]


def test_a_standby_that_serves_is_not_overwritten() -> None:
    serving = replace(FACTS, serving=("a failover to dr is active since 2026-11-27, by ann",))
    for source in ([WEB], [WEB, NEW]):
        found = decided(source, [WEB], serving)
        assert (found.plan.refusal, found.details, found.plan.steps) == ("dr may be serving", serving.serving, ())
        assert "`sohistio failback --to prod`" in found.todo


BACKUP = "back up custom resources and what is installed"
WEB, NEW, OLD = configured(), configured(name="new"), synced(name="old")


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ([WEB], [WEB], []),
        ([WEB], [], ["create 1 object as in prod"]),
        ([WEB, NEW], [], ["create 2 objects as in prod"]),
        ([WEB], [synced(spec=OTHER)], [BACKUP, "change 1 object as in prod"]),
        ([WEB, NEW], [synced(spec=OTHER)], [BACKUP, "create 1 and change 1 objects as in prod"]),
        ([WEB], [WEB, OLD], [BACKUP, "delete 1 synced object that prod no longer has"]),
    ],
)
def test_steps(source: list[dict[str, Any]], target: list[dict[str, Any]], expected: list[str]) -> None:
    plan = decided(source, target).plan
    left = ["record that no differences are left"] if expected else []
    assert summaries(plan) == expected + left
    assert plan.changes_pending is bool(expected)
    assert bool(plan.danger) is bool(expected)


def test_a_conflict_refuses_all_of_it() -> None:
    found = decided([WEB, NEW], [configured(spec=OTHER)])
    assert found.plan.refusal == "the configuration of prod cannot be applied to dr"
    assert found.plan.steps == ()
    assert "VirtualService shop/web differs in fields that somebody else set in dr" in found.details[0]
    assert found.todo.endswith("Nothing was changed.")


def test_a_source_without_anything_deletes_nothing() -> None:
    found = decided([], [OLD])
    assert found.plan.refusal == "prod has no configuration at all: 1 synced objects of dr are not deleted"
    assert (found.details, found.plan.steps) == (("VirtualService shop/old",), ())
    assert decided([], []).plan.refusal == ""


def test_what_is_not_syncs_to_change_is_counted() -> None:
    files = Difference(Subject.FILES, "a", "b", "c")
    conflict = Difference(Subject.CONFLICT, "a", "b", "c")
    assert decided([WEB], [WEB], more=(files, conflict)).plan.reasons[1:] == ("2 differences not sync's to change",)
    root = Difference(Subject.TRUST_ROOT, "a", "b", "c", counts=False)
    assert decided([WEB], [WEB], more=(files, root)).plan.reasons[1:] == ("1 difference not sync's to change",)


def test_notices() -> None:
    api = configured("Gateway", spec={"gatewayClassName": "istio"}) | {"apiVersion": "gateway.networking.k8s.io/v1"}
    facts = replace(FACTS, not_asked=("gateways",))
    notices = decided([WEB], [], facts).plan.notices
    assert notices[0].startswith("not tried, as you lack permission to patch gateways")
    ref = ObjectRef("Gateway.gateway.networking.k8s.io", "shop", "web")
    source = replace(side("prod"), objects={ref: api})
    found = compare_objects(source, side("dr"), SyncRules())
    comparison = Comparison("prod", "dr", ("", ""), Changes(found.changes), (), (), ("", ""), 1, Lag(1))
    (notice,) = sync_plan(comparison, found, FACTS).plan.notices
    assert notice.startswith(f"istiod makes a Deployment and a Service for {ref}")


def test_a_name_server_that_does_not_answer_is_noted() -> None:
    facts = replace(FACTS, dns_silent="the name server 10.0.0.4 gave no answer")
    assert decided([WEB], [], facts).plan.notices == (
        "whether DNS leads to dr is not known: the name server 10.0.0.4 gave no answer",
    )


@pytest.mark.parametrize(
    ("kind", "place", "noted"),
    [
        ("EnvoyFilter", "istio-system", True),
        ("WasmPlugin", "edge", True),
        ("EnvoyFilter", "shop", False),
        ("VirtualService", "istio-system", False),
    ],
)
def test_what_new_gateway_pods_may_not_survive_is_noted(kind: str, place: str, noted: bool) -> None:
    edge = MeshDeployment(ObjectRef("Deployment", "edge", "web"), "gateway", 0, 0, 0)
    facts = replace(FACTS, state=ClusterState("https://dr", mesh_deployments=(edge,)))
    kinds = {f"{kind}.networking.istio.io": frozenset({"v1"})}
    source = replace(side("prod", configured(kind, place=place)), kinds=kinds)
    target = replace(side("dr", namespaces=(place,)), kinds=kinds)
    found = compare_objects(source, target, SyncRules())
    comparison = Comparison("prod", "dr", ("", ""), Changes(found.changes), (), (), ("", ""), 1, Lag(1))
    notices = sync_plan(comparison, found, facts).plan.notices
    assert notices == (
        (
            f"only new gateway pods show whether they start with {kind} {place}/web: rehearse (`sohistio failover "
            "--to dr --rehearse`)",
        )
        if noted
        else ()
    )
