"""The Gateway API: whose CRDs there are, limits by Istio minor, AKS application routing told from the mesh add-on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from observed import EMPTY_CLUSTER, istiod, state
from preflights import faults, goods
from sohistio.adapters.kubernetes.gateway_api import gateway_api, without_application_routing
from sohistio.checks.preflight.check import Good
from sohistio.checks.preflight.gateway_api import routing_verdict, too_old
from sohistio.environments.support import gateway_api_limits
from sohistio.errors import UsageError
from sohistio.model.fault import Fault, Severity
from sohistio.model.finding import Finding
from sohistio.model.gateway_api import ApplicationRouting, Definition, GatewayApi, Limit, limit_of
from sohistio.model.mode import Mode
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.modes.decide import Asked, decide
from sohistio.modes.skew import gateway_api_faults
from sohistio.plan.changes import Changes

AKS = "aks-istio-system"
BUNDLE = "gateway.networking.k8s.io/bundle-version"
TLS = "tlsroutes.gateway.networking.k8s.io"


def thing(name: str, namespace: str = "", labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels or {}}, **more}


def webhook(name: str, namespace: str) -> dict[str, Any]:
    hook = {"name": "x.istio.io", "clientConfig": {"service": {"name": "istiod", "namespace": namespace}}}
    return thing(name, labels={"app": "istiod"}, webhooks=[hook])


ROUTING = thing("istiod", AKS, {"app": "istiod", "istio.io/rev": "default", "operator.istio.io/component": "Pilot"})
ADD_ON = thing("istiod-asm-1-28", AKS, {"app": "istiod", "istio.io/rev": "asm-1-28"})
OURS = thing("istiod", "istio-system", {"app": "istiod", "istio.io/rev": "default"})
CLASS = "gateway.networking.k8s.io/gateway-class-name"
GATEWAY = thing("web-approuting-istio", "shop", {CLASS: "approuting-istio"})
OWN_GATEWAY = thing("web-istio", "shop", {CLASS: "istio"})


def test_what_is_application_routings_is_kept_apart() -> None:
    lists = {
        "Deployments": [ROUTING, ADD_ON, OURS, GATEWAY, OWN_GATEWAY],
        "Pods": [GATEWAY, OWN_GATEWAY],
        "ValidatingWebhookConfigurations": [webhook("theirs", AKS), webhook("ours", "istio-system")],
        "CustomResourceDefinitions": [],
    }
    left = without_application_routing(lists)
    assert left["Deployments"] == [ADD_ON, OURS, OWN_GATEWAY]
    assert left["Pods"] == [OWN_GATEWAY]
    assert [item["metadata"]["name"] for item in left["ValidatingWebhookConfigurations"]] == ["ours"]
    found = gateway_api(lists, True).application_routing
    assert found.evidence == (f"Deployment {AKS}/istiod", "GatewayClass approuting-istio")
    assert found.labelled


@pytest.mark.parametrize("labels", [{"app": "istiod"}, {"app": "istiod", "istio.io/rev": "default"}])
def test_an_istiod_that_istioctl_would_not_take(labels: dict[str, str]) -> None:
    found = gateway_api({"Deployments": [thing("istiod", AKS, labels)], "CustomResourceDefinitions": []}, None)
    assert (len(found.application_routing.istiods), found.application_routing.labelled) == (1, False)


@pytest.mark.parametrize(
    ("metadata", "definition"),
    [
        pytest.param(
            {"annotations": {BUNDLE: "v1.2.1", "app.kubernetes.io/managed-by": "aks"}},
            Definition(TLS, "v1.2.1", owner="AKS"),
            id="aks-annotates",
        ),
        pytest.param({"labels": {"app.kubernetes.io/managed-by": "aks"}}, Definition(TLS, owner="AKS"), id="a-label"),
        pytest.param(
            {
                "annotations": {BUNDLE: "v1.5.0", "gateway.networking.k8s.io/channel": "experimental"},
                "managedFields": [
                    {"manager": "helm", "fieldsV1": {"f:metadata": {"f:annotations": {f"f:{BUNDLE}": {}}}}}
                ],
            },
            Definition(TLS, "v1.5.0", "experimental", "helm"),
            id="by-field-manager",
        ),
        pytest.param({}, Definition(TLS), id="nothing-known"),
    ],
)
def test_whose_a_definition_is(metadata: dict[str, Any], definition: Definition) -> None:
    other = thing("virtualservices.networking.istio.io")
    crds = [{"metadata": {"name": TLS, **metadata}}, other, thing("x.example.com")]
    found = gateway_api({"Deployments": [], "CustomResourceDefinitions": crds}, False)
    assert (found.definitions, found.istio_definitions) == ((definition,), 1)


def cluster(routing: ApplicationRouting, crds: int = 0, *, mesh: bool = False) -> ClusterState:
    seen = GatewayApi(istio_definitions=crds, application_routing=routing)
    return state(gateway_api=seen) if mesh else state(**EMPTY_CLUSTER, gateway_api=seen)


ON = ApplicationRouting((f"Deployment {AKS}/istiod",), True)
OFF = ApplicationRouting()


@pytest.mark.parametrize(
    ("seen", "azure", "severity", "words"),
    [
        pytest.param(cluster(ON), None, None, "An install creates CRDs of istio.io", id="would-break-it"),
        pytest.param(cluster(OFF), True, None, "(Azure's ingress profile)", id="only-azure-knows"),
        pytest.param(cluster(ApplicationRouting((), True)), None, None, "GatewayClass approuting", id="class-only"),
        pytest.param(cluster(ON, 15), None, None, "15 CRDs of istio.io exist already", id="broken-already"),
        pytest.param(
            cluster(ON, 15, mesh=True), True, Severity.WARNING, "an install changes nothing", id="beside-our-mesh"
        ),
        pytest.param(
            cluster(ApplicationRouting((), None)), None, Severity.WARNING, "not known whether", id="class-unreadable"
        ),
    ],
)
def test_application_routing_beside_a_mesh(
    seen: ClusterState, azure: bool | None, severity: Severity | None, words: str
) -> None:
    verdict = routing_verdict(seen, azure)
    assert isinstance(verdict, Fault)
    assert verdict.severity is severity
    assert words in verdict.message
    if words[0] != "n":
        assert "not the mesh add-on" in verdict.message
        assert "deletes the CRDs, and every custom resource" in verdict.hint


@pytest.mark.parametrize(
    ("routing", "azure"), [(OFF, None), (OFF, False), (ApplicationRouting((), True), False)], ids=str
)
def test_no_application_routing(routing: ApplicationRouting, azure: bool | None) -> None:
    assert isinstance(routing_verdict(cluster(routing), azure), Good)


def test_application_routing_is_no_foreign_mesh_but_no_mesh_is_uninstalled_beside_its_istiod() -> None:
    labelled = ApplicationRouting(ON.istiods, True, labelled=True)
    asked = Asked(Version.parse("1.31.1"))
    assert decide(cluster(labelled), asked, Changes()).mode is Mode.INSTALL
    old = state(istiods=(istiod("1.29.8"),), gateway_api=GatewayApi(application_routing=labelled))
    decision = decide(old, asked, Changes())
    assert decision.replace
    assert f"would also take Deployment {AKS}/istiod" in decision.refusal
    assert not decide(old, Asked(asked.target, via=(Version.parse("1.30.5"),)), Changes()).refusal


LIMITS = {(1, 28): Limit((1, 5)), (1, 29): Limit((1, 5), 2)}


@pytest.mark.parametrize(
    ("bundle", "hops", "named"),
    [
        ("v1.5.0", ["1.29.1"], ["1.29.1"]),
        ("v1.6.1", ["1.29.1", "1.30.0"], ["1.29.1"]),
        ("v1.5.0", ["1.28.9", "1.29.2"], ["1.28.9"]),
        ("v1.5.0", ["1.20.0"], ["1.20.0"]),
        ("v1.5.0", ["1.30.0"], []),
        ("v1.4.1", ["1.29.1"], []),
        ("v1.10.0", ["1.29.1"], ["1.29.1"]),
        ("", ["1.29.1"], []),
        ("latest", ["1.29.1"], []),
    ],
)
def test_an_istiod_that_newer_definitions_keep_from_getting_ready(
    bundle: str, hops: list[str], named: list[str]
) -> None:
    seen = state(gateway_api=GatewayApi((Definition(TLS, bundle, "standard", "AKS"), Definition("old", "v1.0.0"))))
    faults = gateway_api_faults(seen, [Version.parse(hop) for hop in hops], LIMITS)
    assert [fault.message.split()[1] for fault in faults] == named
    for fault in faults:
        assert f"the cluster has {bundle} (standard) of AKS's managed installation" in fault.message
        assert fault.can_be_skipped


def test_the_shipped_limits(tmp_path: Path) -> None:
    limits = gateway_api_limits(tmp_path)
    fixed = {minor: limit.fixed_in for minor, limit in limits.items()}
    assert fixed == {(1, 26): None, (1, 27): 9, (1, 28): 6, (1, 29): 2}
    assert limit_of(limits, 1, 30) is None


def test_a_table_beside_the_environments_is_laid_over_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "gateway-api-support.yaml").write_text('"1.29": []\n"1.30": ["1.7", "1.30.4"]\n')
    limits = gateway_api_limits(tmp_path)
    assert (1, 29) not in limits
    assert limits[1, 30] == Limit((1, 7), 4)
    assert limits[1, 28] == Limit((1, 5), 6)


@pytest.mark.parametrize(
    "text", ['"1.29": "1.5"', '"1.29": ["v1.5"]', '"1.29": ["1.5", "1.28.6"]', '"1.29": ["1.5", "6"]', '"x": []']
)
def test_a_table_that_is_not_valid(tmp_path: Path, text: str) -> None:
    (tmp_path / "gateway-api-support.yaml").write_text(text)
    with pytest.raises(UsageError) as refused:
        gateway_api_limits(tmp_path)
    assert "gateway-api-support.yaml" in str(refused.value.details)


@pytest.mark.parametrize(("owner", "hint"), [("AKS", "az aks upgrade"), ("helm", "with what put them there")])
def test_definitions_that_istioctl_finds_too_old(owner: str, hint: str) -> None:
    origin = f"CustomResourceDefinition {TLS}"
    old = Finding("IST0176", "Warning", origin, 'at version "1.2.0"')
    worse = Finding("IST0156", "Error", origin, "lower than v1beta1")
    other = Finding("IST0101", "Error", "VirtualService a/b", "no host")
    found = list(too_old([old, other, worse, old], [Definition(TLS, "v1.2.0", "standard", owner)]))
    assert len(faults(found)) == 2
    assert [item.severity for item in found if isinstance(item, Fault)] == [Severity.WARNING, None]
    assert ["never get ready" in message for message in faults(found)] == [False, True]
    assert all("; it is v1.2.0 (standard)" in message and owner in message for message in faults(found))
    assert all(hint in item.hint for item in found if isinstance(item, Fault))
    assert goods(too_old([other], [Definition(TLS, "v1.5.0", owner="helm")])) == ["v1.5.0 written by helm"]
