"""The labels of gateways' objects while the old control plane is uninstalled: off, marked, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.compare import compare
from sohistio.adapters.kubernetes.gateways import GATEWAY_KINDS
from sohistio.adapters.kubernetes.live_objects import LiveObjects
from sohistio.adapters.kubernetes.release_gateways import relabel_gateways, release_gateways
from sohistio.model.state import ObjectRef
from sohistio.plan.changes import Action

COMPONENT, REVISION, KEPT = "operator.istio.io/component", "istio.io/rev", "sohistio/kept-gateway"
OWNER = "install.operator.istio.io/owning-resource"
DEPLOYMENTS = "/apis/apps/v1/deployments"
IN_PLACE = "/apis/apps/v1/namespaces/istio-system/deployments"
ISTIOD = {"metadata": {"name": "istiod", "namespace": "istio-system", "labels": {OWNER: "sohistio"}}}


KINDS = {
    "apps/v1": {"name": "deployments", "kind": "Deployment", "namespaced": True},
    "policy/v1": {"name": "poddisruptionbudgets", "kind": "PodDisruptionBudget", "namespaced": True},
    "autoscaling/v2": {"name": "horizontalpodautoscalers", "kind": "HorizontalPodAutoscaler", "namespaced": True},
}


def gateway(name: str = "web", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "istio-system", "labels": labels}}


def patches(server: ApiServer) -> list[dict[str, Any]]:
    """The labels that were sent, in order."""
    return [asked.body["metadata"]["labels"] for asked in server.asked if asked.method == "PATCH"]


def serving(server: ApiServer, *items: dict[str, Any]) -> None:
    lists = ("/api/v1/serviceaccounts", "/api/v1/services", "/apis/autoscaling/v2/horizontalpodautoscalers")
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    for path in (*lists, "/apis/policy/v1/poddisruptionbudgets", f"{rbac}/roles", f"{rbac}/rolebindings"):
        server.answers("GET", path, Reply({"items": []}))
    server.answers("GET", DEPLOYMENTS, Reply({"items": list(items)}))
    for item in items:
        server.answers("PATCH", f"{IN_PLACE}/{item['metadata']['name']}", Reply(item))


@pytest.mark.parametrize(
    ("owner", "mark"),
    [
        pytest.param("sohistio", "EgressGateways", id="the mesh's own"),
        pytest.param("partners", "EgressGateways.of-another", id="another IstioOperator's"),
        pytest.param("unknown", "EgressGateways", id="one's without a name"),
    ],
)
def test_the_mark_takes_the_labels_place_in_one_patch(tmp_path: Path, owner: str, mark: str) -> None:
    with ApiServer() as server:
        serving(server, gateway(**{COMPONENT: "EgressGateways", REVISION: "default", OWNER: owner}))
        server.answers("GET", f"{IN_PLACE}/istiod", Reply(ISTIOD))
        release_gateways(server.api(tmp_path))
        assert patches(server) == [{KEPT: mark, COMPONENT: None, REVISION: None}]
        (selector,) = {asked.query["labelSelector"] for asked in server.asked if "labelSelector" in asked.query}
    assert selector == f"{COMPONENT} in (IngressGateways,EgressGateways),{REVISION}=default", "what an uninstall takes"


def test_only_the_named_are_released(tmp_path: Path) -> None:
    labels = {COMPONENT: "EgressGateways", REVISION: "default", OWNER: "sohistio"}
    with ApiServer() as server:
        serving(server, gateway("one", **labels), gateway("other", **labels))
        server.answers("GET", f"{IN_PLACE}/istiod", Reply(ISTIOD))
        release_gateways(server.api(tmp_path), [ObjectRef("Deployment", "istio-system", "one")])
        assert [asked.path for asked in server.asked if asked.method == "PATCH"] == [f"{IN_PLACE}/one"]


def test_what_tells_of_a_release_is_marked_first_and_unmarked_last() -> None:
    """A later run looks at Services and Deployments: with their marks it knows that there is something to put back."""
    assert GATEWAY_KINDS[:2] == ("Service", "Deployment")


def test_labels_are_back_before_any_mark_is_off(tmp_path: Path) -> None:
    installed = gateway("installed", **{COMPONENT: "IngressGateways", KEPT: "IngressGateways"})
    with ApiServer() as server:
        serving(server, gateway("others", **{KEPT: "EgressGateways.of-another"}), installed)
        relabel_gateways(server.api(tmp_path))
        assert patches(server) == [{COMPONENT: "EgressGateways", REVISION: "default"}, {KEPT: None}, {KEPT: None}]


@pytest.mark.parametrize(
    ("labels", "removed"),
    [
        pytest.param({KEPT: "EgressGateways", OWNER: "unknown"}, True, id="the mesh's own"),
        pytest.param({KEPT: "EgressGateways.of-another", OWNER: "unknown"}, False, id="another's"),
        pytest.param({COMPONENT: "EgressGateways", OWNER: "unknown"}, False, id="never released, and no istiod to ask"),
    ],
)
def test_without_istiod_the_mark_says_what_no_manifest_has(
    tmp_path: Path, labels: dict[str, str], removed: bool
) -> None:
    shipped = gateway("shipped", **{COMPONENT: "IngressGateways"}) | {"apiVersion": "apps/v1", "kind": "Deployment"}
    with ApiServer() as server:
        serving(server)
        # By istioctl's label, then by sohistio's mark.
        found = [[item] if key in labels else [] for key in (COMPONENT, KEPT) for item in (gateway("old", **labels),)]
        server.answers("GET", DEPLOYMENTS, *(Reply({"items": items}) for items in found))
        for group, kind in KINDS.items():
            server.answers("GET", f"/apis/{group}", Reply({"resources": [kind]}))
        server.answers("GET", f"{IN_PLACE}/shipped", Reply(shipped))
        server.answers("PATCH", f"{IN_PLACE}/shipped", Reply(shipped))
        api = server.api(tmp_path)
        changes = compare(api, [shipped], LiveObjects(api, [shipped]))
    assert [change.action for change in changes.objects] == [Action.REMOVED] * removed
