"""How a policy compares with the cluster: what is applied, deleted, left alone; and the phases of it."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any

from policies import NAMESPACES, WHOLE, live_of, somebodys
from sohistio.model.policy import Mtls, Policy, Stage
from sohistio.model.state import ObjectRef
from sohistio.plan.changes import Action, ref_of
from sohistio.plan.policy_steps import ApplyPolicy, PrunePolicy
from sohistio.policy.compare import compared
from sohistio.policy.objects import DRY_RUN
from sohistio.policy.planner import policy_phase, ways_out_phase
from sohistio.policy.render import Rendered, rendered

WANTED = rendered(WHOLE, "qa")
LEDGER = next(ref_of(obj) for obj in WANTED.others if obj["metadata"]["namespace"] == "payments")
NOTHING = Rendered()


def test_what_is_as_declared_is_left_alone() -> None:
    found = compared(WANTED, live_of(WANTED.objects), "qa", NAMESPACES)
    assert (found.ways_out, found.others, found.surplus, found.changes, found.foreign) == ((), (), (), (), ())
    assert found.compared == len(WANTED.objects)
    assert policy_phase(found, "qa", {}) == ways_out_phase(found) == ()


def test_what_is_missing_is_created() -> None:
    found = compared(WANTED, {}, "qa", NAMESPACES)
    assert found.ways_out + found.others == WANTED.objects
    assert {change.action for change in found.changes} == {Action.CREATED}


def test_a_hand_edit_is_shown_with_who_made_it() -> None:
    live = deepcopy(live_of(WANTED.objects))
    live[LEDGER]["spec"]["action"] = "DENY"
    live[LEDGER]["metadata"]["labels"]["team"] = "payments"  # other labels are other people's
    edit = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:action": {}}}}
    live[LEDGER]["metadata"]["managedFields"].append(edit)
    found = compared(WANTED, live, "qa", NAMESPACES)
    (change,) = found.changes
    assert (change.ref, change.action) == (LEDGER, Action.CHANGED)
    assert [(field.path, field.before, field.after, field.manager) for field in change.fields] == [
        ("spec.action", "DENY", "ALLOW", "kubectl-edit")
    ]
    assert [ref_of(obj) for obj in found.others] == [LEDGER]


def test_an_object_of_somebodys_with_the_name_of_one_is_not_touched() -> None:
    live = somebodys("PeerAuthentication", "istio-system", "default", mtls={"mode": "PERMISSIVE"})
    assert compared(WANTED, live, "qa", NAMESPACES).foreign == (
        ObjectRef("PeerAuthentication", "istio-system", "default"),
    )


def test_what_leaves_the_file_is_deleted_if_sohistio_made_it() -> None:
    live = live_of(WANTED.objects)
    found = compared(NOTHING, live, "qa", NAMESPACES)
    assert {item.ref for item in found.surplus} == set(live)
    kinds = [item.ref.kind for item in found.surplus]
    assert kinds.index("VirtualService") < kinds.index("Gateway") < kinds.index("AuthorizationPolicy")
    for others in (live_of(WANTED.objects, "kubectl"), live_of(rendered(WHOLE, "prod").objects)):
        found = compared(NOTHING, others, "qa", NAMESPACES)
        assert found.surplus == ()
        assert set(found.unowned) == set(others)


def test_namespaces_that_do_not_exist_are_waited_for() -> None:
    found = compared(WANTED, {}, "qa", ("istio-system", "shop"))
    assert found.waiting == ("legacy", "payments", "vault")
    assert {obj["metadata"]["namespace"] for obj in found.others} == {"istio-system", "shop"}


def test_the_phases_say_what_is_refused_or_let_in_from_then_on() -> None:
    whole = compared(WANTED, {}, "qa", NAMESPACES)
    (phase,) = policy_phase(whole, "qa", {})
    (step,) = phase.steps
    assert isinstance(step, ApplyPolicy)
    assert step.effects == (
        "takes plaintext in legacy",
        "refuses plaintext between workloads",
        "refuses invalid tokens at the ingress gateway",
        "closes hosts of the ingress gateway but for what policy.hosts lets in",
        "closes workloads of payments but for what policy.workloads lets in",
        "closes workloads of vault but for what policy.workloads lets in",
    )
    assert json.loads(step.documents[0])["kind"] == "Telemetry"
    (ways_out,) = ways_out_phase(whole)
    assert [item.summary for item in ways_out.steps] == ["apply 23 objects of policy.egress"]


def test_a_rule_of_stage_audit_says_that_it_refuses_nothing() -> None:
    whole = compared(rendered(replace(WHOLE, stage=Stage.AUDIT), "qa"), {}, "qa", NAMESPACES)
    (phase,) = policy_phase(whole, "qa", {})
    (step,) = phase.steps
    assert isinstance(step, ApplyPolicy)
    assert "applies AuthorizationPolicy vault/access as a dry run that refuses nothing" in step.effects


def test_taking_a_guard_away_is_said() -> None:
    strict = rendered(Policy(mtls=Mtls()), "qa")
    found = compared(NOTHING, live_of(strict.objects), "qa", NAMESPACES)
    (phase,) = policy_phase(found, "qa", {item.ref: "/path" for item in found.surplus})
    (step,) = phase.steps
    assert isinstance(step, PrunePolicy)
    assert step.effects == ("no longer refuses plaintext: PeerAuthentication istio-system/default goes",)


def test_taking_an_exception_away_closes_something() -> None:
    found = compared(
        rendered(Policy(mtls=Mtls()), "qa"),
        live_of(rendered(Policy(mtls=Mtls(permissive=("shop",))), "qa").objects),
        "qa",
        NAMESPACES,
    )
    (phase,) = policy_phase(found, "qa", {item.ref: "/path" for item in found.surplus})
    (step,) = phase.steps
    assert isinstance(step, PrunePolicy)
    assert step.effects == (
        "no longer takes plaintext where the mesh refuses it: PeerAuthentication shop/default goes",
    )


def guard_hosts(obj: dict[str, Any]) -> set[str]:
    (operation,) = [to["operation"] for to in obj["spec"]["rules"][0]["to"]]
    return set(operation["notHosts"])


def test_a_host_is_opened_only_when_its_route_is_gone() -> None:
    """It leaves the policy together with its route: in between it stays closed, by its own rules."""
    (first, *others) = WHOLE.hosts
    fewer = replace(WHOLE, hosts=tuple(others), ingress=())
    found = compared(rendered(fewer, "qa"), live_of(WANTED.objects), "qa", NAMESPACES)
    paths = {item.ref: "/path" for item in found.surplus}
    (phase,) = policy_phase(found, "qa", paths)
    assert [step.id for step in phase.steps] == ["policy/apply", "policy/routes", "policy/open"]
    applied, routes, opened = phase.steps
    assert isinstance(applied, ApplyPolicy)
    assert isinstance(opened, ApplyPolicy)
    (kept,) = [obj for obj in applied.parsed if obj["metadata"]["name"] == "ingress-hosts"]
    (final,) = opened.parsed
    assert set(first.hosts) <= guard_hosts(kept)
    assert not set(first.hosts) & guard_hosts(final)
    let_in = [
        rule for rule in kept["spec"]["rules"] if set(first.hosts) & set(rule["to"][0]["operation"].get("hosts", ()))
    ]
    assert len(let_in) == len(first.allow)
    assert {ref.kind for ref in routes.objects} == {"Gateway", "VirtualService"}  # type: ignore[union-attr]
    assert opened.effects == tuple(f"no longer closes {host}" for host in first.hosts)
    assert opened.summary == "open 1 host of the ingress gateway"


def test_a_host_that_changes_its_name_stays_closed_under_the_old_one() -> None:
    (first, *others) = WHOLE.hosts
    renamed = replace(WHOLE, hosts=(replace(first, hosts=("new.example.com",)), *others))
    found = compared(rendered(renamed, "qa"), live_of(WANTED.objects), "qa", NAMESPACES)
    (kept,) = [obj for obj in found.others if obj["metadata"]["name"] == "ingress-hosts"]
    assert {"new.example.com", *first.hosts} <= guard_hosts(kept)
    (opening,) = found.opening
    assert opening.hosts == first.hosts


def test_the_last_guard_goes_after_the_last_route() -> None:
    found = compared(NOTHING, live_of(WANTED.objects), "qa", NAMESPACES)
    (phase,) = policy_phase(found, "qa", {item.ref: "/path" for item in found.surplus})
    routes, rest = phase.steps
    assert {ref.kind for ref in routes.objects} == {"Gateway", "VirtualService"}  # type: ignore[union-attr]
    assert "AuthorizationPolicy" in {ref.kind for ref in rest.objects}  # type: ignore[union-attr]


def test_a_host_is_not_opened_by_a_stage_that_refuses_nothing() -> None:
    """It leaves the policy in the change that turns to audit: until its route is gone, its guard refuses."""
    (_, *others) = WHOLE.hosts
    audit = replace(WHOLE, hosts=tuple(others), ingress=(), stage=Stage.AUDIT)
    found = compared(rendered(audit, "qa"), live_of(WANTED.objects), "qa", NAMESPACES)
    (kept,) = [obj for obj in found.others if obj["metadata"]["name"] == "ingress-hosts"]
    (opening,) = found.opening
    assert DRY_RUN not in kept["metadata"].get("annotations", {})
    assert opening.obj["metadata"]["annotations"] == {DRY_RUN: "true"}


def test_the_rules_of_a_host_that_stays_are_the_new_ones_at_once() -> None:
    (first, *others) = WHOLE.hosts
    both = replace(WHOLE, hosts=(replace(first, hosts=(*first.hosts, "other.example.com")), *others))
    stricter = replace(WHOLE, hosts=(replace(first, hosts=("other.example.com",), allow=()), *others))
    found = compared(rendered(stricter, "qa"), live_of(rendered(both, "qa").objects), "qa", NAMESPACES)
    (kept,) = [obj for obj in found.others if obj["metadata"]["name"] == "ingress-hosts"]
    let_in = {host for rule in kept["spec"]["rules"][1:] for to in rule["to"] for host in to["operation"]["hosts"]}
    assert set(first.hosts) <= let_in
    assert "other.example.com" not in let_in
