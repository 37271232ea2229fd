"""What an uninstall takes, leaves, keeps and refuses, as a table of clusters; and the checks at its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from observed import budget, istiod, mesh, pod, service, state, workload
from sohistio.checks.removal import Remains, verify_remains
from sohistio.checks.result import Result
from sohistio.model.footprint import NAMESPACE_REF, Footprint, MeshObject, Removal
from sohistio.model.mode import Mode
from sohistio.model.state import ClusterState, ObjectRef, ObservedNamespace
from sohistio.modes.planner import Subject
from sohistio.modes.uninstall import uninstall_plan
from sohistio.modes.uninstall_words import proxy_lines
from sohistio.plan.adoption_steps import StopOperator
from sohistio.plan.backup_steps import TakeBackup
from sohistio.plan.namespace_steps import UnlabelNamespaces
from sohistio.plan.plan import Plan
from sohistio.plan.steps import RemoveObjects, RestartWorkloads, UninstallIstio, VerifyGone
from sohistio.postinstall import partings

INJECTOR = ObjectRef("MutatingWebhookConfiguration", "", "istio-sidecar-injector")
ISTIOD = ObjectRef("Deployment", "istio-system", "istiod")
LEADER = ObjectRef("ConfigMap", "istio-system", "istio-leader")
READER = ObjectRef("ServiceAccount", "istio-system", "istio-reader-service-account")
POLICY = ObjectRef("NetworkPolicy", "istio-system", "istiod")
ROOT = ObjectRef("ConfigMap", "shop", "istio-ca-root-cert")
CRD = ObjectRef("CustomResourceDefinition", "", "virtualservices.networking.istio.io")
CA = ObjectRef("Secret", "istio-system", "istio-ca-secret")
PULL = ObjectRef("Secret", "istio-system", "jfrogauth")
MESH = (
    MeshObject(LEADER),
    MeshObject(ISTIOD, "Pilot", "default"),
    MeshObject(INJECTOR, "Pilot", "default"),
    MeshObject(POLICY, "Pilot", "default"),
    MeshObject(READER, "Base", "default"),
)
KEPT = Footprint(crds=(CRD,), custom_resources=3, ca_secrets=(CA,), ca_root="abc", namespace=True)
WHOLE = replace(KEPT, objects=MESH, certificates=(ROOT,))
ALL = Removal(with_sidecars=True, purge=True, restart_workloads=True)


def planned(seen: ClusterState, footprint: Footprint = WHOLE, **asked: bool) -> Plan:
    return uninstall_plan(Subject("qa", "", seen), footprint, Removal(**asked))


def removed(plan: Plan, step_id: str) -> set[ObjectRef]:
    return {ref for s in plan.steps if isinstance(s, RemoveObjects) and s.id == step_id for ref in s.objects}


def ids(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps]


def empty(**changes: Any) -> ClusterState:
    return state(istiods=(), sidecar=None, **changes)


def test_the_installed_versions_istioctl_takes_what_it_finds_and_the_rest_is_ours() -> None:
    plan = planned(state(istiods=(istiod("1.30.5"),)))
    assert ids(plan) == ["mesh/uninstall", "leftovers/remove", "certificates/remove", "verify/gone"]
    (step,) = [step for step in plan.steps if isinstance(step, UninstallIstio)]
    assert str(step.version) == plan.installed_version == "1.30.5"
    assert set(step.objects) == {ISTIOD, INJECTOR}
    assert removed(plan, "leftovers/remove") == {LEADER, READER, POLICY}
    assert removed(plan, "certificates/remove") == {ROOT}
    assert (plan.mode, plan.danger, plan.purges) == (Mode.UNINSTALL, "uninstalls the mesh", False)
    assert any("kept: 1 CRD with 3 custom resources, Secret istio-ca-secret" in notice for notice in plan.notices)


@pytest.mark.parametrize(
    ("seen", "objects"),
    [
        pytest.param(state(), MESH[:2], id="no-webhook-for-istioctl-to-go-by"),
        pytest.param(state(istiods=(istiod("latest", label="own"),)), MESH, id="no-readable-version"),
        pytest.param(empty(), (MeshObject(INJECTOR, "Pilot", "default"),), id="only-a-webhook-without-version"),
    ],
)
def test_without_a_version_or_a_webhook_everything_is_removed_by_ourselves(
    seen: ClusterState, objects: tuple[MeshObject, ...]
) -> None:
    plan = planned(seen, replace(WHOLE, objects=objects))
    assert not any(isinstance(step, UninstallIstio) for step in plan.steps)
    assert removed(plan, "leftovers/remove") == {item.ref for item in objects}
    assert plan.danger == "uninstalls the mesh"


def test_istioctl_is_not_used_where_it_would_take_application_routings_istiod() -> None:
    theirs = MeshObject(ObjectRef("Deployment", "aks-istio-system", "istiod"), "Pilot", "default")
    plan = planned(state(), replace(WHOLE, of_aks=(theirs,)))
    assert not any(isinstance(step, UninstallIstio) for step in plan.steps)
    assert removed(plan, "leftovers/remove") == {item.ref for item in MESH}
    assert "it would take those of AKS application routing as well" in plan.steps[0].summary
    unlabelled = MeshObject(theirs.ref, "Pilot", "asm-1-28")
    assert any(isinstance(s, UninstallIstio) for s in planned(state(), replace(WHOLE, of_aks=(unlabelled,))).steps)


def test_half_a_mesh_goes_with_the_istioctl_of_what_is_left() -> None:
    plan = planned(empty(leftover_versions=("1.29.8", "1.30.5")))
    assert plan.installed_version == "1.30.5"
    assert "half a mesh" in plan.reasons[0]
    assert ids(plan)[0] == "mesh/uninstall"


def test_only_certificates_left_is_something_to_uninstall() -> None:
    assert ids(planned(empty(), Footprint(certificates=(ROOT,)))) == ["certificates/remove", "verify/gone"]


@pytest.mark.parametrize(
    ("footprint", "asked", "reason"),
    [
        pytest.param(Footprint(), Removal(), "nothing of one", id="empty"),
        pytest.param(Footprint(), ALL, "nothing of one", id="empty-purge"),
        pytest.param(KEPT, Removal(), "there is no mesh", id="what-is-kept-is-no-mesh"),
    ],
)
def test_nothing_to_uninstall(footprint: Footprint, asked: Removal, reason: str) -> None:
    plan = uninstall_plan(Subject("qa", "", empty()), footprint, asked)
    assert (plan.phases, plan.refusal, plan.changes_pending) == ((), "", False)
    assert reason in plan.reasons[0]


def test_running_sidecars_refuse_it_and_are_listed() -> None:
    bare = ObjectRef("Pod", "shop", "debug")
    seen = state(carriers=(workload("web"), workload("one", pods=(pod(),))), unowned_carriers={bare: pod()})
    plan = planned(seen)
    assert plan.phases == ()
    assert "5 running pods" in plan.refusal
    assert proxy_lines(seen) == (
        "Deployment shop/web: 3 pods",
        "Deployment shop/one: 1 pod",
        "Pod shop/debug: no workload owns it",
    )
    assert planned(seen, restart_workloads=True).refusal, "a restart alone is no consent"
    assert planned(seen, purge=True).refusal


def test_with_sidecars_says_what_they_lose_and_offers_the_restart() -> None:
    plan = planned(state(carriers=(workload("web"),)), with_sidecars=True)
    notices = "\n".join(plan.notices)
    assert "can renew no certificate" in notices
    assert "`sohistio uninstall --env qa --with-sidecars --restart-workloads`" in notices


def test_workloads_restart_once_nothing_injects_and_before_their_root_certificate_goes() -> None:
    carriers = (workload("web"), workload("frozen", paused=True), workload("gateway", brings_proxy=True))
    bare = ObjectRef("Pod", "shop", "debug")
    seen = state(carriers=carriers, unowned_carriers={bare: pod()})
    plan = planned(seen, with_sidecars=True, restart_workloads=True)
    assert ids(plan)[:4] == ["mesh/uninstall", "leftovers/remove", "sidecars/restart", "certificates/remove"]
    (step,) = [step for step in plan.steps if isinstance(step, RestartWorkloads)]
    assert step.without_sidecar
    assert [ref.name for ref in step.workloads] == ["web"]
    assert {left.ref.name for left in step.left_alone} == {"frozen", "gateway", "debug"}


def test_sidecars_can_go_after_the_mesh() -> None:
    seen = empty(carriers=(workload("web"),))
    assert "--restart-workloads" in planned(seen, KEPT).notices[0]
    plan = planned(seen, KEPT, with_sidecars=True, restart_workloads=True)
    assert ids(plan) == ["sidecars/restart", "verify/gone"]
    assert plan.danger == "", "nothing is taken away any more"


def test_a_budget_keeps_a_workload_from_being_restarted() -> None:
    tight = workload("web", strategy="Recreate", max_unavailable=3)
    to_restart, left = partings(state(carriers=(tight,), budgets=(budget(headroom=1),)))
    assert to_restart == []
    assert "allows 1" in left[0].reason


def test_purge_backs_up_first_and_takes_the_namespace_last() -> None:
    others = replace(WHOLE, others=(PULL,))
    plan = planned(state(), others, purge=True)
    assert isinstance(plan.steps[0], TakeBackup)
    assert ids(plan)[-5:] == ["purge/check-backup", "purge/crds", "purge/ca", "purge/namespace", "verify/gone"]
    assert removed(plan, "purge/crds") == {CRD}
    assert removed(plan, "purge/ca") == {CA}
    assert removed(plan, "purge/namespace") == {NAMESPACE_REF}
    assert plan.purges
    assert any("Secret jfrogauth" in notice for notice in plan.notices)
    assert not any(notice.startswith("kept") for notice in plan.notices)


@pytest.mark.parametrize("left", [KEPT, Footprint(namespace=True)], ids=["all", "namespace"])
def test_purge_takes_what_an_earlier_uninstall_kept(left: Footprint) -> None:
    plan = planned(empty(), left, purge=True)
    assert plan.purges, "the environment's name must be typed"
    assert removed(plan, "purge/namespace") == {NAMESPACE_REF}


@pytest.mark.parametrize(
    ("seen", "gone"),
    [
        pytest.param(state(mesh_deployments=(mesh("own-gateway"),)), "own-gateway", id="over-a-gateway-of-ours"),
        pytest.param(empty(), "istiod", id="it-outlived-its-deployment"),
        pytest.param(state(), "kiali", id="over-others"),
    ],
)
def test_hand_made_budgets_over_the_meshs_pods_go_too(seen: ClusterState, gone: str) -> None:
    hand_made = budget("hand", app=gone, namespace="istio-system")
    elsewhere = budget("elsewhere", app=gone, namespace="shop")
    plan = planned(replace(seen, budgets=(hand_made, elsewhere)))
    expected = {hand_made.ref} if gone != "kiali" else set()
    assert removed(plan, "leftovers/remove") & {hand_made.ref, elsewhere.ref} == expected


def test_somebody_elses_mesh_is_refused() -> None:
    plan = planned(state(istiods=(istiod(), istiod(revision="canary"))))
    assert "cannot uninstall" in plan.refusal
    assert "canary" in plan.reasons[0]


def test_the_in_cluster_operator_is_stopped_before_it_puts_the_mesh_back() -> None:
    controller = ObjectRef("Deployment", "istio-operator", "istio-operator")
    plan = planned(state(operator_controllers=(controller,)))
    assert isinstance(plan.steps[0], StopOperator)
    assert plan.steps[0].controllers == (controller,)


def test_the_gateways_address_is_told() -> None:
    plan = planned(state(gateway_services=(service("10.20.20.188"),)))
    assert any("10.20.20.188" in notice for notice in plan.notices)


def test_the_document_names_every_object() -> None:
    document = planned(state()).document()
    assert document["targetVersion"] is None
    steps = {step["id"]: step for phase in document["phases"] for step in phase["steps"]}
    assert {item["name"] for item in steps["mesh/uninstall"]["objects"]} == {"istiod", "istio-sidecar-injector"}
    assert steps["mesh/uninstall"]["version"] == "1.31.1"


KEEPING = VerifyGone("verify/gone", "verify", kept=(CRD, CA, NAMESPACE_REF))
PURGING = VerifyGone("verify/gone", "verify", kept=(), purged=(CRD, CA, NAMESPACE_REF))
VIRTUAL_SERVICE = ObjectRef("VirtualService", "shop", "web")


def remains(**changes: Any) -> Remains:
    """A good end: all gone, what is kept as before."""
    base: dict[str, Any] = {
        "step": KEEPING,
        "state": empty(),
        "footprint": KEPT,
        "ca_before": "abc",
        "resources_before": {VIRTUAL_SERVICE: "1"},
        "resources_after": {VIRTUAL_SERVICE: "1"},
    }
    return Remains(**(base | changes))


def test_a_good_end_passes_every_check() -> None:
    results = {check.name: check.result for check in verify_remains(remains())}
    assert set(results) == {
        "istiod-gone",
        "webhooks-gone",
        "leftovers-gone",
        "sidecars-gone",
        "resources-kept",
        "ca-unchanged",
    }
    assert set(results.values()) == {Result.PASSED}
    purged = verify_remains(remains(step=PURGING, footprint=Footprint(), resources_after={}))
    assert {check.name for check in purged} >= {"purged", "istiod-gone"}
    assert not any(check.breaks for check in purged)


@pytest.mark.parametrize(
    ("changes", "name", "breaks"),
    [
        pytest.param({"state": state()}, "istiod-gone", True, id="istiod"),
        pytest.param(
            {"footprint": replace(KEPT, objects=(MeshObject(INJECTOR),))}, "webhooks-gone", True, id="a-webhook"
        ),
        pytest.param({"footprint": replace(KEPT, objects=(MeshObject(LEADER),))}, "leftovers-gone", True, id="leader"),
        pytest.param({"footprint": replace(KEPT, certificates=(ROOT,))}, "leftovers-gone", True, id="root"),
        pytest.param({"footprint": replace(KEPT, crds=())}, "resources-kept", True, id="a-crd-lost"),
        pytest.param({"footprint": replace(KEPT, ca_secrets=())}, "resources-kept", True, id="the-ca-lost"),
        pytest.param({"resources_after": {}}, "resources-kept", True, id="a-resource-lost"),
        pytest.param({"resources_after": {VIRTUAL_SERVICE: "2"}}, "resources-kept", True, id="a-resource-changed"),
        pytest.param({"footprint": replace(KEPT, ca_root="def")}, "ca-unchanged", True, id="another-root"),
        pytest.param({"step": PURGING}, "purged", True, id="not-purged"),
        pytest.param({"state": empty(carriers=(workload("web"),))}, "sidecars-gone", False, id="sidecars-run"),
        pytest.param(
            {"approved": [workload("web").ref], "state": empty(carriers=(workload("web"),))},
            "sidecars-gone",
            True,
            id="sidecars-after-the-restart",
        ),
        pytest.param(
            {"approved": [workload("db").ref], "state": empty(carriers=(workload("web"),))},
            "sidecars-gone",
            False,
            id="sidecars-beyond-the-plan",
        ),
        pytest.param(
            {"approved": [workload("web").ref], "state": empty(carriers=(workload("web", paused=True),))},
            "sidecars-gone",
            False,
            id="a-paused-one-left-alone",
        ),
    ],
)
def test_what_is_wrong_at_the_end_is_named(changes: dict[str, Any], name: str, breaks: bool) -> None:
    failed = [check for check in verify_remains(remains(**changes)) if check.result is Result.FAILED]
    assert [check.name for check in failed] == [name]
    assert failed[0].breaks is breaks
    assert failed[0].hint


def test_a_purge_takes_our_labels_and_pull_secrets_and_an_uninstall_names_them() -> None:
    namespaces = (
        ObservedNamespace("shop", injected=True, injection="enabled", labelled_by_sohistio=True),
        ObservedNamespace("media", injected=True, injection="enabled"),
    )
    seen = state(namespaces=namespaces)
    pull = ObjectRef("Secret", "media", "jfrogauth")
    footprint = replace(WHOLE, pull_secrets=(PULL, pull))

    kept = planned(seen, footprint)
    assert not {"purge/labels", "purge/pull-secrets"} & set(ids(kept))
    assert "the label istio-injection of shop, 2 pull Secrets" in kept.notices[0]

    purged = uninstall_plan(Subject("qa", "", seen), footprint, ALL)
    labels = next(step for step in purged.steps if isinstance(step, UnlabelNamespaces))
    assert [ref.name for ref in labels.objects] == ["shop"]
    assert removed(purged, "purge/pull-secrets") == {pull}, "the other goes with its namespace"
    assert next(step for step in purged.steps if isinstance(step, VerifyGone)).purged[0] == pull
    assert "takes sidecar injection away from namespace shop" in purged.danger

    left = uninstall_plan(Subject("qa", "", empty(namespaces=namespaces)), Footprint(), ALL)
    assert "purge/labels" in ids(left), "also when the mesh is gone already"
