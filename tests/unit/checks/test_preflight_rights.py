"""Which rights a plan takes, and how those that are missing are told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from observed import state, webhook
from plans import FRESH, NOTHING, REFUSED, REPLACEMENT, STANDBY, UPGRADE
from preflights import faults, goods
from sohistio.adapters.kubernetes.access import Right
from sohistio.adapters.kubernetes.api import KubeError
from sohistio.checks.preflight.rights import letting_go, rights_of, verdict_on
from sohistio.checks.preflight.roles import role_of
from sohistio.model.authority import AUTHORITY_SECRET
from sohistio.model.fault import Fault
from sohistio.model.mode import Mode
from sohistio.model.state import ObjectRef
from sohistio.model.webhooks import VALIDATING, Webhooks
from sohistio.plan.adoption_steps import StopOperator
from sohistio.plan.authority_steps import WriteAuthority
from sohistio.plan.backup_steps import RestoreAuthority, RestoreObjects, TakeBackup
from sohistio.plan.changes import Action, Changes, ObjectChange
from sohistio.plan.gateway_steps import HandOverAddress, RelabelGateways, ReleaseGateways
from sohistio.plan.namespace_steps import LabelNamespaces, MakeNamespace, UnlabelNamespaces, WritePullSecrets
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import KeepReplicas, ScaleUp, Step
from sohistio.plan.sync_steps import PruneSynced, SyncObjects
from sohistio.plan.webhook_steps import Cure, RepairWebhooks, WebhookRepair

ISTIOD, INGRESS = ObjectRef("Deployment", "istio-system", "istiod"), ObjectRef("Deployment", "edge", "web")
SHOP = ObjectRef("Namespace", "", "shop")


def obj(kind: str, name: str, namespace: str = "istio-system", chart: str = "istiod") -> dict[str, Any]:
    metadata = {"name": name, "labels": {"helm.sh/chart": f"{chart}-1.31.1"}}
    return {"kind": kind, "apiVersion": "v1", "metadata": metadata | ({"namespace": namespace} if namespace else {})}


MANIFEST = [
    obj("ConfigMap", "istio"),
    obj("ServiceAccount", "istio-ingressgateway-service-account", chart="gateway"),
    obj("CustomResourceDefinition", "gateways.networking.istio.io", namespace="", chart="base"),
]
BASES = {
    "ConfigMap": "/api/v1",
    "ServiceAccount": "/api/v1",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1",
}


def path_for(item: dict[str, Any]) -> str:
    if item["kind"] not in BASES:
        raise KubeError("the API server does not know it", 404)
    metadata = item["metadata"]
    place = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{BASES[item['kind']]}{place}/{item['kind'].lower()}s/{metadata['name']}"


def needed(plan: Plan, manifest: list[dict[str, Any]] = MANIFEST) -> set[str]:
    return {str(right) for right in rights_of(plan, manifest, path_for)}


EVERY_RUN = {
    "get leases.coordination.k8s.io sohistio in istio-system",
    "update leases.coordination.k8s.io sohistio in istio-system",
    "create leases.coordination.k8s.io in istio-system",
    "patch configmaps sohistio-record in istio-system",
    "create configmaps in istio-system",
}


def test_a_plan_that_writes_nothing_takes_nothing() -> None:
    assert needed(NOTHING) == set()
    assert needed(REFUSED, []) == set()


def test_an_install_patches_all_and_creates_what_is_not_there() -> None:
    created = Changes((ObjectChange(ObjectRef("ConfigMap", "istio-system", "istio"), Action.CREATED),))
    rights = needed(replace(FRESH, changes=created))
    assert rights >= EVERY_RUN
    assert rights >= {
        "patch configmaps istio in istio-system",
        "create configmaps istio in istio-system",
        "patch serviceaccounts istio-ingressgateway-service-account in istio-system",
        "patch customresourcedefinitions.apiextensions.k8s.io gateways.networking.istio.io",
        "create mutatingwebhookconfigurations.admissionregistration.k8s.io istio-revision-tag-default",
        "list secrets",
    }
    assert "create serviceaccounts istio-ingressgateway-service-account in istio-system" not in rights
    assert not any(right.startswith("delete") for right in rights)


def test_an_upgrade_backs_up_and_restarts() -> None:
    rights = needed(UPGRADE)
    assert rights >= {
        "get secrets cacerts in istio-system",
        "get secrets istio-ca-secret in istio-system",
        "patch deployments.apps web in shop",
    }
    assert "create mutatingwebhookconfigurations.admissionregistration.k8s.io istio-revision-tag-default" not in rights


def test_a_replacement_deletes_the_control_plane_and_no_crd_and_no_gateway() -> None:
    deleted = {right for right in needed(REPLACEMENT) if right.startswith("delete")}
    assert deleted == {
        "delete configmaps istio in istio-system",
        "delete horizontalpodautoscalers.autoscaling istiod in istio-system",
    }
    assert "create configmaps istio in istio-system" in needed(REPLACEMENT)


def test_webhooks_are_let_go_before_their_istiod_goes() -> None:
    found = (webhook(name="istio-revision-tag-prod"), webhook(kind=VALIDATING), webhook(revision="1-20"))
    assert {str(right) for right in letting_go(state(webhooks=Webhooks(found, "istiod")))} == {
        "update mutatingwebhookconfigurations.admissionregistration.k8s.io istio-revision-tag-prod",
        "delete validatingwebhookconfigurations.admissionregistration.k8s.io istio-validator-default-istio-system",
    }


def test_a_standby_scales_its_gateways() -> None:
    assert "patch deployments.apps istio-egressgateway in istio-system" in needed(STANDBY)


OLD, NEW = (ObjectRef("Service", place, "gateway") for place in ("istio-system", "edge"))


TAG = ObjectRef("MutatingWebhookConfiguration", "", "istio-revision-tag-default")
REPAIR = RepairWebhooks("a", "b", (WebhookRepair(TAG, Cure.IGNORE_FAILURES, "c"),))
SYNCED = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}}'
PLACE = "/api/v1/namespaces/shop"


def test_a_sync_never_reads_the_ca() -> None:
    steps = (TakeBackup("a", "b", authority=False), SyncObjects("c", "d", (SYNCED,), "prod"))
    assert not any("secrets" in right for right in needed(replace(UPGRADE, phases=(Phase("sync", steps),))))


@pytest.mark.parametrize(
    ("step", "right"),
    [
        (TakeBackup("a", "b"), "get secrets cacerts in istio-system"),
        (SyncObjects("a", "b", (SYNCED,), "prod"), "create configmaps web in shop"),
        (SyncObjects("a", "b", (SYNCED,), "prod"), "patch configmaps web in shop"),
        (PruneSynced("a", "b", "prod", (), (f"{PLACE}/configmaps/web",)), "get configmaps web in shop"),
        (PruneSynced("a", "b", "prod", (), (f"{PLACE}/configmaps/web",)), "delete configmaps web in shop"),
        (StopOperator("a", "b", (ISTIOD,), ()), "patch deployments.apps istiod in istio-system"),
        (REPAIR, "update mutatingwebhookconfigurations.admissionregistration.k8s.io istio-revision-tag-default"),
        (ScaleUp("a", "b", ((ISTIOD, 3),)), "patch deployments.apps istiod in istio-system"),
        (WriteAuthority("a", "b", AUTHORITY_SECRET, "c", ()), "create secrets cacerts in istio-system"),
        (WriteAuthority("a", "b", AUTHORITY_SECRET, "c", ()), "patch secrets cacerts in istio-system"),
        (RestoreAuthority("a", "b", "c"), "create secrets cacerts in istio-system"),
        (KeepReplicas("a", "b", (ISTIOD,)), "patch deployments.apps istiod in istio-system"),
        (ReleaseGateways("a", "b", (INGRESS,)), "patch services web in edge"),
        (ReleaseGateways("a", "b", (INGRESS,)), "patch roles.rbac.authorization.k8s.io web-sds in edge"),
        (RelabelGateways("a", "b", (INGRESS,)), "patch serviceaccounts web-service-account in edge"),
        (MakeNamespace("a", "b", ObjectRef("Namespace", "", "istio-system")), "create namespaces"),
        (LabelNamespaces("a", "b", (SHOP,)), "patch namespaces shop"),
        (UnlabelNamespaces("a", "b", (SHOP,)), "patch namespaces shop"),
        (WritePullSecrets("a", "b", (ObjectRef("Secret", "shop", "jfrog"),)), "create secrets jfrog in shop"),
        (HandOverAddress("a", "b", "10.0.0.1", OLD, NEW), "delete services gateway in istio-system"),
        (HandOverAddress("a", "b", "10.0.0.1", OLD, NEW), "patch services gateway in edge"),
        (
            RestoreObjects("a", "b", ('{"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}}',)),
            "create configmaps x in shop",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_other_steps(step: Step, right: str) -> None:
    changing = FRESH.phases[0]
    plan = replace(FRESH, mode=Mode.RESTORE, phases=(Phase("any", (step,)), changing))
    assert right in needed(plan, [])


def test_who_lacks_a_right_is_told_which_role_has_it() -> None:
    assert role_of(FRESH) == ""
    assert "rbac/namespaces.yaml" in role_of(replace(FRESH, mode=Mode.NAMESPACES))
    assert "rbac/sync.yaml" in role_of(replace(FRESH, mode=Mode.SYNC))


def test_a_plan_refused_for_its_versions_takes_what_its_manifest_takes() -> None:
    refused = replace(FRESH, phases=(), refusal="one-minor-at-a-time: too far")
    assert "patch configmaps istio in istio-system" in needed(refused)


def test_a_kind_whose_definition_is_yet_to_come_is_left_out() -> None:
    assert needed(FRESH, [obj("EnvoyFilter", "x")]) == needed(FRESH, [])


def test_rights_are_read_off_paths() -> None:
    assert (
        str(Right.on("patch", "/apis/apps/v1/namespaces/shop/deployments/web")) == "patch deployments.apps web in shop"
    )
    assert str(Right.on("create", "/api/v1/namespaces/istio-system")) == "create namespaces istio-system"
    crd = Right.on("patch", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x.istio.io")
    assert (crd.namespace, crd.name) == ("", "x.istio.io")


def test_what_is_missing_is_told_by_resource() -> None:
    missing = [
        *(Right("create", "apiextensions.k8s.io", "customresourcedefinitions", name=n) for n in "abcde"),
        *(Right("delete", "", "configmaps", place, "istio-ca-root-cert") for place in ("a", "b", "c", "d")),
        Right("patch", "", "services", "istio-system", "istiod"),
        Right("create", "", "services", "istio-system", "istiod"),
        Right("list", "", "secrets"),
    ]
    assert faults(verdict_on(missing, 20)) == [
        "you lack permission to create customresourcedefinitions.apiextensions.k8s.io (a, b, c and 2 more)",
        "you lack permission to create, patch services in istio-system (istiod)",
        "you lack permission to delete configmaps in a, b, c and 1 more (istio-ca-root-cert)",
        "you lack permission to list secrets",
    ]
    assert goods(verdict_on([], 20)) == ["all 20 rights that the plan takes are there"]


def test_a_role_of_its_own_is_named() -> None:
    missing = [Right("create", "networking.istio.io", "sidecars", "shop")]
    for hint in ("", "Ask for the role x."):
        (fault,) = verdict_on(missing, 1, hint)
        assert isinstance(fault, Fault)
        assert fault.hint == hint
