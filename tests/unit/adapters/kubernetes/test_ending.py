"""What is being deleted is not there to stay: named with its finalizers, never counted as kept, nothing put into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import observed
from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.ending import ending_definitions, ending_in, lasting, resource_metadata
from sohistio.adapters.kubernetes.holding import why_still_there
from sohistio.adapters.kubernetes.restore import compare_backup, restore_object
from sohistio.checks.mesh import Evidence, verify
from sohistio.checks.preflight.being_deleted import verdict
from sohistio.checks.preflight.check import Good
from sohistio.checks.removal import Remains, verify_remains
from sohistio.checks.result import CheckResult, Result
from sohistio.errors import RefusedError
from sohistio.model.desired import DesiredMesh
from sohistio.model.ending import sentence
from sohistio.model.fault import Fault, Severity
from sohistio.model.footprint import NAMESPACE_REF, Footprint, Removal
from sohistio.model.state import Ending, ObjectRef
from sohistio.model.versions import Version
from sohistio.modes.planner import Subject
from sohistio.modes.uninstall import uninstall_plan
from sohistio.plan.steps import VerifyGone

WEB = ObjectRef("VirtualService", "shop", "web")
CRD = ObjectRef("CustomResourceDefinition", "", "virtualservices.networking.istio.io")
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
HELD, HELD_CRD = Ending(WEB, ("example.com/guard",)), Ending(CRD, (CLEANUP,))
GONE_SOON: dict[str, Any] = {"deletionTimestamp": "2026-11-26T10:00:00Z", "finalizers": ["example.com/guard"]}
GROUP = "/apis/networking.istio.io/v1"
ROUTES = f"{GROUP}/namespaces/shop/virtualservices"
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualservices.networking.istio.io"
KINDS = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": "networking.istio.io"},
            "versions": [
                {
                    "version": "v1",
                    "resources": [{"resource": "virtualservices", "responseKind": {"kind": "VirtualService"}}],
                }
            ],
        }
    ],
}


def route(name: str = "web", **metadata: Any) -> dict[str, Any]:
    whole = {"name": name, "namespace": "shop"} | metadata
    return {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": whole, "spec": {"hosts": []}}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        running.answers("GET", "/apis", Reply(KINDS))
        listed = {"name": "virtualservices", "kind": "VirtualService", "namespaced": True}
        running.answers("GET", GROUP, Reply({"resources": [listed]}))
        yield running


def test_the_sentence_names_what_holds_first() -> None:
    assert sentence([HELD_CRD, HELD]) == (
        "1 custom resource and 1 CRD of Istio are being deleted: VirtualService shop/web (held by example.com/guard), "
        f"CustomResourceDefinition virtualservices.networking.istio.io (held by {CLEANUP})"
    )
    many = [replace(HELD, ref=replace(WEB, name=f"web-{number}")) for number in range(9)]
    assert sentence(many).endswith("VirtualService shop/web-5 (held by example.com/guard), and 3 more")


def test_a_crd_stops_an_install_and_a_resource_warns() -> None:
    assert isinstance(verdict(()), Good)
    stopping, warning = verdict([HELD, HELD_CRD]), verdict([HELD])
    assert isinstance(stopping, Fault)
    assert isinstance(warning, Fault)
    assert (stopping.severity, warning.severity) == (Severity.ERROR, Severity.WARNING)
    assert "sohistio restore" in stopping.hint


def test_crds_of_istio_that_are_being_deleted() -> None:
    names = ("virtualservices.networking.istio.io", "istiooperators.install.istio.io", "things.example.com")
    ending = [{"metadata": {"name": name, "deletionTimestamp": "now", "finalizers": [CLEANUP]}} for name in names]
    assert ending_definitions([*ending, {"metadata": {"name": "gateways.networking.istio.io"}}]) == (HELD_CRD,)


def test_resources_that_are_being_deleted(server: ApiServer, api: KubeApi) -> None:
    path = f"{GROUP}/virtualservices"
    items: list[dict[str, Any]] = [
        {"metadata": {"name": "web", "namespace": "shop", **GONE_SOON}},
        {"metadata": {"name": "other"}},
    ]
    server.answers("GET", path, Reply({"items": items}))
    assert ending_in(resource_metadata(api)) == (HELD,)
    assert [item["metadata"]["name"] for item in lasting(items)] == ["other"]
    server.answers("GET", path, Reply({"message": "no"}, 403))
    assert ending_in(resource_metadata(api)) == (), "a reader without the right may plan all the same"


def failed(checks: tuple[CheckResult, ...]) -> dict[str, str]:
    return {check.name: check.message for check in checks if check.result is Result.FAILED}


def evidence(before: dict[ObjectRef, str], after: dict[ObjectRef, str], *ending: Ending) -> Evidence:
    mesh = DesiredMesh(Version(1, 31, 1), "", (), (), observed.sidecar())
    return Evidence(
        observed.state(), mesh, (), resources_before=before, resources_after=after, resources_ending=tuple(ending)
    )


def test_as_before_does_not_count_them() -> None:
    other = ObjectRef("VirtualService", "shop", "other")
    checks = verify(evidence({other: "x"}, {other: "x"}, HELD))
    assert any(check.message == "1 custom resources as before" for check in checks)
    assert failed(checks)["being-deleted"] == sentence([HELD])
    assert not any(check.breaks for check in checks), "it was so before the run"


def test_one_that_somebody_deletes_during_the_run_fails_it() -> None:
    found = failed(verify(evidence({WEB: "x"}, {}, HELD)))
    assert found["custom-resources-unchanged"] == "VirtualService shop/web is being deleted"


def test_an_uninstall_that_keeps_them_says_that_they_go() -> None:
    step = VerifyGone("verify/gone", "verify", kept=(CRD, NAMESPACE_REF))
    footprint = Footprint(crds=(CRD,), custom_resources=1, namespace=True)
    state = observed.state(**observed.EMPTY_CLUSTER)
    checks = verify_remains(Remains(step, state, footprint, ending=(HELD_CRD, HELD)))
    kept = next(check.message for check in checks if check.name == "resources-kept")
    assert kept.startswith("as before: 0 CRDs, 0 custom resources")
    assert "being-deleted" in failed(checks)
    plan = uninstall_plan(Subject("qa", "", replace(state, ending=(HELD_CRD,))), footprint, Removal())
    assert (plan.phases, plan.notices) == ((), (sentence([HELD_CRD]),))


@pytest.mark.parametrize(
    ("live", "definitions", "held"),
    [
        pytest.param(route(**GONE_SOON), [], [HELD], id="the-object"),
        pytest.param(route(**GONE_SOON), [HELD_CRD], [HELD, HELD_CRD], id="both"),
        pytest.param(route(), [HELD_CRD], [HELD_CRD], id="its-crd"),
        pytest.param(None, [HELD_CRD], [HELD_CRD], id="its-crd-and-it-is-gone"),
    ],
)
def test_nothing_is_put_back_into_what_vanishes(
    server: ApiServer, api: KubeApi, live: dict[str, Any] | None, definitions: list[Ending], held: list[Ending]
) -> None:
    if live is not None:
        server.answers("GET", f"{ROUTES}/web", Reply(live))
    with pytest.raises(RefusedError, match="it would vanish again") as caught:
        compare_backup(api, [route()], definitions)
    assert [line.partition(" (")[0] for line in caught.value.details] == [str(item.ref) for item in held]
    assert "Nothing was put back" in caught.value.todo
    assert all(asked.method == "GET" for asked in server.asked)


def test_what_began_to_vanish_meanwhile_is_not_put_back(server: ApiServer, api: KubeApi) -> None:
    server.answers("PATCH", f"{ROUTES}/web", Reply(route(**GONE_SOON)), Reply(route()))
    assert restore_object(api, route()) == "VirtualService shop/web (held by example.com/guard) is being deleted"
    assert restore_object(api, route()) == ""


def test_a_crd_of_another_kind_stops_no_restore(server: ApiServer, api: KubeApi) -> None:
    server.answers("PATCH", f"{ROUTES}/web", Reply(route()))
    other = Ending(replace(CRD, name="gateways.networking.istio.io"))
    assert len(compare_backup(api, [route()], [other]).objects) == 1


def test_missing_kinds_are_one_line_for_each_group(api: KubeApi) -> None:
    kinds = {
        "networking.istio.io/v1alpha3": ["EnvoyFilter"],
        "security.istio.io/v1": ["PeerAuthentication", "AuthorizationPolicy", "PeerAuthentication"],
        "gateway.networking.k8s.io/v1": ["HTTPRoute"],
    }
    unknown = [
        {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "shop"}}
        for version, some in kinds.items()
        for kind in some
    ]
    with pytest.raises(RefusedError) as caught:
        compare_backup(api, [route(), *unknown])
    assert caught.value.what == "the cluster does not know the kinds of 5 objects of the backup"
    assert caught.value.details == (
        "gateway.networking.k8s.io: HTTPRoute (1 object)",
        "networking.istio.io: EnvoyFilter (1 object)",
        "security.istio.io: AuthorizationPolicy, PeerAuthentication (3 objects)",
    )
    assert "`sohistio install` first" in caught.value.todo
    assert "Gateway API's CRDs" in caught.value.todo


def test_what_holds_a_crd_is_named(server: ApiServer, api: KubeApi) -> None:
    spec = {
        "group": "networking.istio.io",
        "names": {"plural": "virtualservices", "kind": "VirtualService"},
        "versions": [{"name": "v1alpha3", "storage": False}, {"name": "v1", "storage": True}],
    }
    metadata = {"name": CRD.name, "deletionTimestamp": "now", "finalizers": [CLEANUP]}
    server.answers("GET", DEFINITION, Reply({"metadata": metadata, "spec": spec}))
    items = [route(**GONE_SOON), route("other")]
    server.answers("GET", f"{GROUP}/virtualservices", Reply({"items": items}))
    gone = ObjectRef("Service", "istio-system", "gone")
    assert why_still_there(api, [gone, CRD]) == (
        f"CustomResourceDefinition {CRD.name} (held by {CLEANUP})",
        "  VirtualService shop/web (held by example.com/guard)",
    )


def test_what_holds_a_namespace_and_a_deployment(server: ApiServer, api: KubeApi) -> None:
    conditions = [
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "fine"},
        {"type": "NamespaceContentRemaining", "status": "True", "message": "configmaps. has 1 resource instances"},
    ]
    path = "/api/v1/namespaces/istio-system"
    ending = {"deletionTimestamp": "now"}
    server.answers(
        "GET",
        path,
        Reply(
            {
                "metadata": {"name": "istio-system", **ending},
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"conditions": conditions},
            }
        ),
    )
    deployment = {"namespace": "istio-system", "name": "istiod", "finalizers": ["foregroundDeletion"], **ending}
    selector = {"matchLabels": {"app": "istiod"}}
    server.answers(
        "GET",
        "/apis/apps/v1/namespaces/istio-system/deployments/istiod",
        Reply({"metadata": deployment, "spec": {"selector": selector}}),
    )
    pods = [
        {"metadata": {"namespace": "istio-system", "name": name, "labels": {"app": name}}} for name in ("istiod", "x")
    ]
    server.answers("GET", f"{path}/pods", Reply({"items": pods}))
    assert why_still_there(api, [ObjectRef("Deployment", "istio-system", "istiod"), NAMESPACE_REF]) == (
        "Deployment istio-system/istiod (held by foregroundDeletion)",
        "  Pod istio-system/istiod has not ended yet",
        "Namespace istio-system (held by kubernetes)",
        "  configmaps. has 1 resource instances",
    )


def test_a_server_that_does_not_answer_is_one_of_the_lines(server: ApiServer, api: KubeApi) -> None:
    server.answers("GET", DEFINITION, Reply({"message": "no"}, 403))
    assert why_still_there(api, [CRD]) == ("the API server forbids a request",)
