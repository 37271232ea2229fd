"""Changes of a live gateway's Service that need approval, a move of its address, and the way back without asking."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from observed import mesh, service, state
from plans import FRESH, REPLACEMENT, UPGRADE
from sohistio.model.desired import DesiredDeployment, DesiredMesh, DesiredService
from sohistio.model.state import ClusterState, ObjectRef, ObservedNamespace, ObservedService
from sohistio.model.versions import Version
from sohistio.modes.decide import Asked, decide
from sohistio.modes.gateway_changes import gateway_changes
from sohistio.modes.planner import Subject, make_plan
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange
from sohistio.plan.diff import differences, does_no_more, only_restores
from sohistio.plan.gateway_steps import HandOverAddress
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import InstallIstio, RemoveObjects, ScaleUp

NAME = "istio-ingressgateway"
INGRESS = ObjectRef("Service", "istio-system", NAME)
AZURE = "metadata.annotations.service.beta.kubernetes.io/azure-"
IPV4, INTERNAL = f"{AZURE}load-balancer-ipv4", f"{AZURE}load-balancer-internal"
SERVES = service("10.0.0.1")
PENDING = service()
EGRESS = ObservedService(INGRESS, "ClusterIP", "", ())
HTTPS = {"name": "https", "port": 443}


def changed(*fields: tuple[str, Any, Any], ref: ObjectRef = INGRESS, component: str = NAME) -> Changes:
    return Changes((ObjectChange(ref, Action.CHANGED, tuple(FieldChange(*field) for field in fields), component),))


@pytest.mark.parametrize(
    ("seen", "fields", "words"),
    [
        (SERVES, [(IPV4, "10.0.0.1", "10.0.0.2")], f"moves {NAME} from 10.0.0.1 to 10.0.0.2"),
        (service("10.0.0.7"), [(IPV4, "10.0.0.1", "10.0.0.2")], f"moves {NAME} from 10.0.0.7 to 10.0.0.2"),
        (service("10.0.0.1", wanted=""), [(IPV4, None, "10.0.0.1")], ""),
        (service("10.0.0.1", "fd00::1", wanted=""), [(IPV4, None, "10.0.0.1")], ""),
        (PENDING, [(IPV4, None, "10.0.0.2")], ""),
        (PENDING, [(IPV4, "10.0.0.1", "10.0.0.2")], ""),
        (SERVES, [(IPV4, "10.0.0.1", None)], f"no longer asks for 10.0.0.1 for {NAME}, so that Azure may give it"),
        (
            replace(service("10.0.0.1", wanted=""), load_balancer_ip="10.0.0.1"),
            [(IPV4, None, "10.0.0.1"), ("spec.loadBalancerIP", "10.0.0.1", None)],
            "",
        ),
        (SERVES, [("spec.loadBalancerIP", None, "10.0.0.9")], ""),  # the annotation beats it
        (service("10.0.0.1", wanted=""), [("spec.loadBalancerIP", None, "10.0.0.9")], f"moves {NAME} from 10.0.0.1 to"),
        (None, [(IPV4, "10.0.0.1", "10.0.0.2")], f"moves {NAME} from 10.0.0.1 to 10.0.0.2"),
        (SERVES, [(INTERNAL, "true", "false")], f"makes the internal load balancer of {NAME} public"),
        (PENDING, [(INTERNAL, "true", None)], f"makes the internal load balancer of {NAME} public"),
        (SERVES, [("metadata.annotations", {INTERNAL.removeprefix("metadata.annotations."): "true"}, None)], "public"),
        (SERVES, [(INTERNAL, None, "true")], f"makes the public load balancer of {NAME} internal"),
        (PENDING, [(INTERNAL, None, "true")], ""),
        (SERVES, [(INTERNAL, None, "false")], ""),
        (SERVES, [(f"{AZURE}load-balancer-internal-subnet", None, "b")], "azure-load-balancer-internal-subnet of"),
        (SERVES, [(f"{AZURE}load-balancer-resource-group", "a", "b")], "(a → b)"),
        (SERVES, [(f"{AZURE}pip-name", None, "b")], "changes azure-pip-name"),
        (SERVES, [(f"{AZURE}load-balancer-tcp-idle-timeout", "4", "10")], ""),
        (SERVES, [("metadata.annotations.example.com/owner", "a", "b")], ""),
        (SERVES, [("spec.loadBalancerClass", "a", "b")], "changes spec.loadBalancerClass"),
        (SERVES, [("spec.loadBalancerSourceRanges", None, ["10.0.0.0/8"])], "changes spec.loadBalancerSourceRanges"),
        (SERVES, [("spec.externalTrafficPolicy", "Cluster", "Local")], "(Cluster → Local)"),
        (SERVES, [("spec.selector.istio", "a", "b")], "changes spec.selector.istio"),
        (SERVES, [("spec.type", "LoadBalancer", "ClusterIP")], "into ClusterIP, which gives 10.0.0.1 back"),
        (EGRESS, [("spec.type", "ClusterIP", "LoadBalancer")], "from ClusterIP into LoadBalancer"),
        (EGRESS, [(IPV4, None, "10.0.0.2"), (INTERNAL, "true", None)], ""),
        (SERVES, [("spec.ports[tcp]", None, {"name": "tcp", "port": 31400})], ""),
        (SERVES, [("spec.ports[https].port", 443, 8443)], f"changes ports of {NAME} (https.port: 443 → 8443)"),
        (SERVES, [("spec.ports[https].appProtocol", None, "https")], "https.appProtocol: none → https"),
        (SERVES, [("spec.ports[https]", HTTPS, None)], "(https goes)"),
        (SERVES, [("spec.ports", [HTTPS], [HTTPS, {"port": 80}])], ""),
        (SERVES, [("spec.ports", [HTTPS, {"port": 80}], [HTTPS])], "changes ports"),
        (SERVES, [("metadata.labels.app", "a", "b")], ""),
    ],
)
def test_what_needs_approval(seen: ObservedService | None, fields: list[tuple[str, Any, Any]], words: str) -> None:
    found = gateway_changes(changed(*fields), [seen] if seen else [])
    assert [words in item.words for item in found] == ([True] if words else [])
    assert all(item.service == INGRESS and item.fields for item in found)


def test_istiods_service_a_new_one_and_other_kinds_are_no_gateway() -> None:
    move = (IPV4, "10.0.0.1", "10.0.0.2")
    istiod = ObjectRef("Service", "istio-system", "istiod")
    assert not gateway_changes(changed(move, ref=istiod, component="istiod"), [])
    assert not gateway_changes(changed(move, ref=ObjectRef("Deployment", "istio-system", NAME)), [])
    assert not gateway_changes(Changes((ObjectChange(INGRESS, Action.CREATED, component=NAME),)), [])


MOVED = gateway_changes(changed((IPV4, "10.0.0.1", "10.0.0.2")), [SERVES])


def test_the_plan_says_it_and_a_replacement_says_both() -> None:
    plan = replace(UPGRADE, gateway_changes=MOVED)
    assert plan.danger == f"moves {NAME} from 10.0.0.1 to 10.0.0.2"
    assert plan.document()["danger"] == plan.danger
    assert plan.digest() != UPGRADE.digest()
    assert does_no_more(plan, plan)
    assert not does_no_more(plan, UPGRADE)
    assert differences(UPGRADE.document(), plan.document()) == (f"danger: none → {plan.danger}",)
    before = {key: value for key, value in UPGRADE.document().items() if key != "danger"}
    (line,) = differences(before, UPGRADE.document())
    assert line == "the plan file does not say what is dangerous: an older sohistio wrote it"
    both = replace(REPLACEMENT, gateway_changes=MOVED).danger
    assert both == f"uninstalls the old mesh first and moves {NAME} from 10.0.0.1 to 10.0.0.2"


BACK = replace(FRESH, changes=changed((IPV4, "10.0.0.2", "10.0.0.1")))
BACK = replace(BACK, gateway_changes=gateway_changes(BACK.changes, [service("10.0.0.2")]))
FAILED = replace(UPGRADE, changes=changed((IPV4, "10.0.0.1", "10.0.0.2")))


@pytest.mark.parametrize(
    ("back", "failed", "restores"),
    [
        pytest.param(BACK, FAILED, True, id="what-the-run-changed"),
        pytest.param(BACK, UPGRADE, False, id="what-it-did-not-change"),
        pytest.param(BACK, replace(FAILED, changes=changed((IPV4, "10.0.0.3", "10.0.0.2"))), False, id="another"),
        pytest.param(replace(BACK, phases=REPLACEMENT.phases), FAILED, False, id="an-uninstall-as-well"),
    ],
)
def test_the_rollback_target_to_what_served_needs_no_other_yes(back: Plan, failed: Plan, restores: bool) -> None:
    assert only_restores(back, failed) is restores


# --- a gateway in a namespace of its own, and its move there

EDGE = ObjectRef("Service", "edge", NAME)
TARGET = DesiredMesh(
    Version(1, 31, 1),
    "operator",
    (DesiredDeployment(ObjectRef("Deployment", "edge", NAME), "gateway", 3, "2"),),
    (DesiredService(EDGE, "LoadBalancer", "10.0.0.1"),),
    None,
)
MOVE = Changes((ObjectChange(INGRESS, Action.REMOVED), ObjectChange(EDGE, Action.CREATED)))
SEEN = state(
    gateway_services=(SERVES,),
    mesh_deployments=(mesh(NAME, desired=8),),
    namespaces=(ObservedNamespace("edge", False),),
)


def planned(seen: ClusterState = SEEN, changes: Changes = MOVE, via: tuple[Version, ...] = ()) -> Plan:
    decision = decide(seen, Asked(TARGET.version, via=via), changes)
    stations = [replace(TARGET, version=version) for version in via]
    return make_plan(Subject("qa", "1.31.1", seen), decision, [*stations, TARGET], changes)


def test_a_move_hands_the_address_over_once_the_new_pods_are_ready() -> None:
    plan = planned()
    (step,) = plan.handovers
    assert (step.address, step.giver, step.taker) == ("10.0.0.1", INGRESS, EDGE)
    kinds = [type(item) for item in plan.steps]
    assert kinds.index(InstallIstio) < kinds.index(ScaleUp) < kinds.index(HandOverAddress)
    scale = next(item for item in plan.steps if isinstance(item, ScaleUp))
    assert scale.minimums == ((ObjectRef("Deployment", "edge", NAME), 8),), "as many pods as the old one has"
    assert plan.danger == (f"hands 10.0.0.1 over from {INGRESS} to {EDGE}, with nobody answering at it meanwhile"), (
        "and not that its address is given back"
    )
    assert any("nobody answers at 10.0.0.1" in notice for notice in plan.notices)
    assert not any(isinstance(item, RemoveObjects) for item in plan.steps), "deleted once"


def test_a_chain_hands_it_over_at_its_first_station() -> None:
    old = replace(SEEN, istiods=(replace(SEEN.istiods[0], image_version="1.29.8", label_version="1.29.8"),))
    plan = planned(old, via=(Version(1, 30, 5),))
    names = [phase.name for phase in plan.phases]
    assert names.count("handover") == 1
    assert names.index("1.30.5/control-plane") < names.index("handover") < names.index("1.30.5/verify")


def test_a_move_to_another_address_deletes_the_old_service_last() -> None:
    seen = replace(SEEN, gateway_services=(service("10.0.0.9", wanted="10.0.0.9"),))
    plan = planned(seen)
    assert plan.handovers == ()
    assert "deletes Service istio-ingressgateway, whose address is given back" in plan.danger


@pytest.mark.parametrize("changed", [{"type": "ClusterIP"}, {"addresses": ()}], ids=["of-the-cluster", "waits-for-one"])
def test_a_service_without_an_address_of_its_own_gives_none_back(changed: dict[str, Any]) -> None:
    seen = replace(SEEN, gateway_services=(replace(service("10.0.0.9", wanted="10.0.0.9"), **changed),))
    assert planned(seen).danger == "deletes Service istio-ingressgateway"


@pytest.mark.parametrize("namespaces", [(), (ObservedNamespace("edge", False, ending=True),)])
def test_a_namespace_that_is_missing_or_ending_refuses(namespaces: tuple[ObservedNamespace, ...]) -> None:
    plan = planned(replace(SEEN, namespaces=namespaces))
    assert plan.phases == ()
    assert plan.refusal == (
        f"namespace edge, where {NAME} is to be, does not exist or is being deleted: `kubectl create namespace edge`"
    )


def test_the_rollback_target_from_a_move_needs_no_other_yes() -> None:
    back = replace(planned(), phases=())
    step = HandOverAddress("handover/10.0.0.1", "hand over", "10.0.0.1", EDGE, INGRESS)
    back = replace(back, phases=(replace(FRESH.phases[0], steps=(step,)),))
    assert only_restores(back, planned())
    assert not only_restores(back, UPGRADE)


def test_a_gateway_without_a_service_of_its_own_is_deleted_with_a_yes_too() -> None:
    web = ObjectRef("Deployment", "edge", "web")
    removal = RemoveObjects("obsolete/remove", "remove 1 object", (web,))
    alone = replace(UPGRADE, phases=(Phase("obsolete", (removal,)),))
    assert alone.danger == "deletes edge/web with its pods"
    both = replace(removal, objects=(web, replace(web, kind="Service")))
    assert replace(UPGRADE, phases=(Phase("obsolete", (both,)),)).danger == "deletes Service edge/web"
