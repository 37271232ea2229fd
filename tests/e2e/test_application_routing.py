"""AKS application routing beside the mesh, and Gateway API CRDs that do not go with an Istio: written small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from preflight_runs import LOCAL, environments, preflight
from sandboxes import Sandbox
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.record_store import read_record, write_record
from sohistio.model.state import ObjectRef
from workloads import apply, await_running, deployment, namespace, pods_of

pytestmark = pytest.mark.e2e

GROUP = "gateway.networking.k8s.io"
AKS = "aks-istio-system"
CLASSES = f"/apis/{GROUP}/v1/gatewayclasses"
LABELS = {"app": "istiod", "istio": "pilot", "istio.io/rev": "default", "operator.istio.io/component": "Pilot"}
SKIP = ("--skip-check", "application-routing")


def definition(kind: str, bundle: str, *versions: str, scope: str = "Namespaced", **labels: str) -> dict[str, Any]:
    """A CRD of the Gateway API that takes anything, of a release that never was or is long gone."""
    plural = f"{kind.lower()}{'es' if kind.endswith('s') else 's'}"
    served = [
        {
            "name": version,
            "served": True,
            "storage": version == versions[-1],
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }
        for version in versions
    ]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{GROUP}",
            "labels": labels,
            "annotations": {
                "api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/3328",
                f"{GROUP}/bundle-version": bundle,
                f"{GROUP}/channel": "standard",
            },
        },
        "spec": {
            "group": GROUP,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "scope": scope,
            "versions": served,
        },
    }


def define(api: KubeApi, obj: dict[str, Any], manager: str) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    api.request("POST", path, query={"fieldManager": manager}, body=obj)


def drop(api: KubeApi, kind: str) -> None:
    api.delete(path_of(ObjectRef("CustomResourceDefinition", "", definition(kind, "")["metadata"]["name"])))


def routing(api: KubeApi) -> None:
    """Application routing as AKS puts it there: its class, an istiod from Istio's charts, a Gateway's proxies."""
    define(api, definition("GatewayClass", "v1.3.0", "v1beta1", "v1", scope="Cluster"), "aks")
    body = {"apiVersion": f"{GROUP}/v1", "kind": "GatewayClass", "metadata": {"name": "approuting-istio"}}
    for _ in range(50):
        if api.get(f"/apis/{GROUP}/v1") is not None:
            break
    api.create(CLASSES, body)
    for name in (AKS, "web"):
        apply(api, namespace(name, injected=False))
    istiod = deployment(AKS, "istiod", replicas=1, labels=LABELS)
    istiod["metadata"]["labels"] = LABELS
    istiod["spec"]["template"]["spec"]["containers"][0] |= {"name": "discovery", "image": "mcr.example/pilot:1.28.5"}
    gateway_labels = {f"{GROUP}/gateway-class-name": "approuting-istio"}
    gateway = deployment("web", "shop-approuting-istio", replicas=1, labels=gateway_labels)
    gateway["metadata"]["labels"] = gateway_labels
    gateway["spec"]["template"]["spec"]["containers"][0] |= {
        "name": "istio-proxy",
        "image": "mcr.example/proxyv2:1.28.5",
    }
    for obj in (istiod, gateway):
        apply(api, obj)
    await_running(api, AKS, 1)
    await_running(api, "web", 1)


@pytest.fixture
def sandbox_of_its_own(empty_sandbox: Sandbox) -> Iterator[Sandbox]:
    """Nothing of application routing is left for the stories that come after."""
    yield empty_sandbox
    empty_sandbox.reset()


def test_application_routing_and_old_definitions(sandbox_of_its_own: Sandbox, tmp_path: Path) -> None:
    """Refused until the check is skipped by name; and what is application routing's stays, whatever is done."""
    sandbox = sandbox_of_its_own
    api = sandbox.api
    routing(api)
    define(api, definition("HTTPRoute", "v0.4.0", "v1alpha2"), "kubectl-client-side-apply")
    define(api, definition("TLSRoute", "v1.4.1", "v1alpha2", "v1", **{"app.kubernetes.io/managed-by": "aks"}), "aks")

    checked = preflight(sandbox)
    assert {"application-routing", "gateway-api-crds"} <= set(checked.failures)
    said = checked.failed("application-routing")
    assert f"(Deployment {AKS}/istiod, GatewayClass approuting-istio); it is not the mesh add-on" in said
    assert "An install creates CRDs of istio.io" in said
    assert "deletes the CRDs, and every custom resource" in checked.of("application-routing")[0].hint
    assert not any(item.result == "failed" for item in checked.of("proxy-skew"))
    codes = checked.of("gateway-api-crds")
    assert [(item.message.split()[1], item.severity) for item in codes] == [("IST0156", "error"), ("IST0172", "error")]
    assert all("it is v0.4.0 (standard) written by kubectl-client-side-apply;" in item.message for item in codes)
    assert "would wait for ever" in checked.of("istioctl-analyze")[0].message
    assert checked.of("istioctl-precheck")[0].result == "passed"

    drop(api, "HTTPRoute")
    newer = preflight(sandbox)
    assert "IST0176" in newer.failed("gateway-api-crds", "warning")
    (tls,) = newer.of("gateway-api-crds")
    assert tls.message.endswith("it is v1.4.1 (standard) of AKS's managed installation")
    assert "az aks upgrade" in tls.hint
    assert not any("IST0176" in item.message for item in newer.of("istioctl-analyze"))
    planned = sandbox.run("plan", *LOCAL)
    assert planned.returncode == 0, planned.stderr
    assert "AKS application routing with the Gateway API is on" in planned.stdout
    before = sandbox.writes()
    refused = sandbox.run("install", *LOCAL)
    assert refused.returncode == 3
    assert "--skip-check application-routing" in refused.stderr
    assert sandbox.writes() == before
    done = sandbox.run("install", *LOCAL, *SKIP, "--version", "1.30.5")
    assert done.returncode == 0, done.stdout + done.stderr

    # From here on the table says that neither the next istiod nor the one before gets ready with these definitions.
    flags = environments(tmp_path)
    table = tmp_path / "environments" / "gateway-api-support.yaml"
    table.write_text('"1.29": ["1.4"]\n"1.30": []\n"1.31": ["1.4", "1.31.2"]\n')
    beside = preflight(sandbox, *flags)
    assert "CRDs of istio.io exist already" in beside.failed("application-routing", "warning")
    assert "istiod 1.31.1 may never get ready" in beside.failed("gateway-api-too-new")
    replacing = sandbox.run("install", *LOCAL, "--mode", "reinstall", "--yes")
    assert replacing.returncode == 3
    assert f"would also take Deployment {AKS}/istiod" in replacing.stderr
    record = read_record(api)
    assert record is not None
    assert record.current is not None
    write_record(api, replace(record, previous=replace(record.current, version="1.29.8")))
    back = sandbox.run("rollback", *LOCAL, *flags, "--yes")
    assert back.returncode == 3
    assert "istiod 1.29.8 may never get ready with Gateway API CRDs of v1.4 or newer" in back.stderr
    assert "--skip-check gateway-api-too-new" in back.stderr

    gone = sandbox.run("uninstall", *LOCAL, "--yes")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert "without istioctl: it would take those of AKS application routing as well" in gone.stdout
    assert [pod["metadata"]["labels"]["app"] for pod in pods_of(api, AKS)] == ["istiod"]
    assert len(pods_of(api, "web")) == 1
    assert pods_of(api, "istio-system") == []
