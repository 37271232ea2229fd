"""Which of Istio's webhooks are dead, which are the mesh's own, and what puts each right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from observed import mesh, state, webhook
from sohistio.model.desired import DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.state import ClusterState, ObjectRef, ObservedNamespace
from sohistio.model.versions import Version
from sohistio.model.webhooks import MUTATING, VALIDATING, Reach, WebhookConfiguration, Webhooks
from sohistio.modes.decide import Decision
from sohistio.modes.planner import Subject, make_plan
from sohistio.modes.webhooks import OPENED_NOTICE, repair_phase, repairs_of
from sohistio.plan.changes import Changes
from sohistio.plan.diff import does_no_more
from sohistio.plan.plan import Plan
from sohistio.plan.steps import InstallIstio
from sohistio.plan.webhook_steps import Cure, RepairWebhooks

LIVE = "istiod"
FOREIGN = ("aks-istio-system", "istiod-asm-1-27")


@pytest.mark.parametrize(
    ("item", "live", "cure"),
    [
        pytest.param(webhook(), LIVE, None, id="alive"),
        pytest.param(webhook(Reach.NO_POD), "", Cure.IGNORE_FAILURES, id="no-istiod"),
        pytest.param(webhook(Reach.NO_SERVICE), "", Cure.IGNORE_FAILURES, id="no-service"),
        pytest.param(webhook(Reach.NO_POD, kind=VALIDATING), "", Cure.IGNORE_FAILURES, id="validator"),
        pytest.param(webhook(Reach.NO_SERVICE), LIVE, Cure.POINT_TO_ISTIOD, id="another-service"),
        pytest.param(webhook(Reach.NO_PATH), LIVE, Cure.POINT_TO_ISTIOD, id="another-path"),
        pytest.param(webhook(Reach.NO_SERVICE, name="opa-injector"), LIVE, None, id="somebody-else's-with-the-label"),
        pytest.param(webhook(Reach.NO_POD, fails=False), "", None, id="ignored-already"),
        pytest.param(webhook(Reach.NO_POD, fails=False, opened=True), "", None, id="opened-and-still-none"),
        pytest.param(webhook(fails=False, opened=True), LIVE, Cure.FAIL_AGAIN, id="opened-and-back"),
        pytest.param(webhook(fails=False), LIVE, None, id="ignored-by-somebody-else"),
        pytest.param(webhook(Reach.NO_POD, parked=True), "", None, id="parked"),
        pytest.param(webhook(root=""), LIVE, Cure.TRUST_ISTIOD, id="no-certificate"),
        pytest.param(webhook(root="", parked=True), LIVE, None, id="parked-without-certificate"),
        pytest.param(webhook(Reach.OUTSIDE), "", None, id="outside-of-the-cluster"),
        pytest.param(webhook(Reach.STRANGE, service=("", "")), LIVE, Cure.CALL_ISTIOD, id="url"),
        pytest.param(webhook(Reach.STRANGE, service=("", ""), fails=False), "", Cure.CALL_ISTIOD, id="url-no-istiod"),
        pytest.param(webhook(Reach.STRANGE, service=("", ""), parked=True), LIVE, Cure.CALL_ISTIOD, id="parked-url"),
        pytest.param(
            webhook(Reach.STRANGE, service=("", ""), revision="1-20"), LIVE, None, id="url-of-another-revision"
        ),
        pytest.param(webhook(Reach.NO_SERVICE, revision="1-20"), "", None, id="another-revision"),
        pytest.param(webhook(Reach.NO_SERVICE, service=FOREIGN), "", None, id="of-aks"),
        pytest.param(
            webhook(Reach.NO_SERVICE, name="istio-revision-tag-default", revision="1-20"),
            LIVE,
            Cure.POINT_TO_ISTIOD,
            id="the-default-tag-of-a-revision-that-is-gone",
        ),
        pytest.param(
            webhook(name="istio-revision-tag-default", revision="1-20"), LIVE, None, id="the-default-tag-of-another"
        ),
    ],
)
def test_what_puts_it_right(item: WebhookConfiguration, live: str, cure: Cure | None) -> None:
    repairs = repairs_of(Webhooks((item,), live))
    assert [repair.cure for repair in repairs] == ([cure] if cure else [])
    assert all(repair.ref.name == item.name and item.name in repair.words for repair in repairs)


def test_what_lost_istioctls_labels_gets_them_back_before_all_else() -> None:
    lost = (MUTATING, "", "istio-revision-tag-default")
    seen = state(mesh_deployments=READY, webhooks=Webhooks((webhook(),), LIVE, (lost,)))
    plan = planned(seen, Decision(Mode.NONE, (), NEW))
    (step,) = (step for step in plan.steps if isinstance(step, RepairWebhooks))
    assert [(repair.ref, repair.cure) for repair in step.repairs] == [(ObjectRef(*lost), Cure.LABEL)]
    assert "give istio-revision-tag-default back the labels" in step.summary
    assert not plan.danger


def test_the_step_says_what_is_wrong_and_what_is_done() -> None:
    dead = Webhooks((webhook(Reach.NO_POD), webhook(Reach.NO_POD, kind=VALIDATING)))
    (phase,) = repair_phase(state(webhooks=dead, mesh_deployments=(mesh("istiod", ready=0),)))
    (step,) = phase.steps
    assert isinstance(step, RepairWebhooks)
    assert (phase.name, step.id) == ("webhooks", "webhooks/repair")
    assert step.summary == (
        "no istiod answers: ignore failures of istio-revision-tag-default, istio-validator-default-istio-system until "
        "one is ready (pods start, without a sidecar)"
    )
    assert step.repairs[1].words == (
        "istio-validator-default-istio-system calls istio-system/istiod, which has no ready pod: ignore its failures "
        "until one is ready (nothing is validated)"
    )
    assert repair_phase(state()) == ()


OLD, NEW = Version(1, 30, 5), Version(1, 31, 1)
READY = (mesh("istiod"),)
SHOP = (ObservedNamespace("shop", injected=True),)


def planned(seen: ClusterState, decision: Decision) -> Plan:
    return make_plan(Subject("qa", "1.31.1", seen), decision, [DesiredMesh(NEW, "operator", (), (), None)], Changes())


@pytest.mark.parametrize(
    ("seen", "decision", "opens"),
    [
        pytest.param(state(mesh_deployments=READY), Decision(Mode.UPGRADE, (), OLD), False, id="upgrade"),
        pytest.param(
            state(mesh_deployments=READY), Decision(Mode.REINSTALL, (), OLD, replace=True), True, id="replace"
        ),
        pytest.param(state(istiods=()), Decision(Mode.INSTALL, ()), True, id="first"),
        pytest.param(
            state(mesh_deployments=(mesh("istiod", ready=0),)), Decision(Mode.REINSTALL, (), NEW), True, id="not-ready"
        ),
    ],
)
def test_the_injector_is_open_while_the_only_istiod_comes_up(
    seen: ClusterState, decision: Decision, opens: bool
) -> None:
    plan = planned(replace(seen, namespaces=SHOP), decision)
    assert [step.opens for step in plan.steps if isinstance(step, InstallIstio)] == [opens]
    assert (OPENED_NOTICE in plan.notices) is opens


def test_dead_webhooks_come_before_all_else_and_alone_where_nothing_else_is_to_be_done() -> None:
    dead = Webhooks((webhook(Reach.NO_SERVICE),), LIVE)
    seen = state(mesh_deployments=READY, webhooks=dead)
    assert planned(seen, Decision(Mode.UPGRADE, (), OLD)).phases[0].name == "webhooks"
    idle = Decision(Mode.NONE, (), NEW)
    assert [phase.name for phase in planned(seen, idle).phases] == ["webhooks", "verify"]
    assert planned(state(mesh_deployments=READY), idle).phases == ()


def test_a_plan_approved_before_a_webhook_died_is_still_approved() -> None:
    approved = planned(state(mesh_deployments=READY), Decision(Mode.UPGRADE, (), OLD))
    dead = state(mesh_deployments=READY, webhooks=Webhooks((webhook(Reach.NO_SERVICE),), LIVE))
    assert does_no_more(planned(dead, Decision(Mode.UPGRADE, (), OLD)), approved)
