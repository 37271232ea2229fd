"""Preflight's checks of what is in the cluster, each as it fails and as it passes, beside a mesh of 1.30.5."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import Sandbox
from preflighting import LOCAL, environments, patched, preflight, there
from workloads import apply, await_running, budget, deployment, namespace

from sohistio.cluster.lease import LEASE_REF
from sohistio.cluster.paths import path_of

pytestmark = pytest.mark.e2e

NAMESPACES = ("shop", "payments", "media")
ADDRESS = "service.beta.kubernetes.io/azure-load-balancer-ipv4"
DEFAULT = "/api/v1/namespaces/default"


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    """Istio 1.30.5, local's namespaces, and one workload with a sidecar."""
    assert sandbox.run("sandbox", "reset").returncode == 0
    for name in NAMESPACES:
        apply(sandbox.api, namespace(name))
    done = sandbox.run("install", *LOCAL, "--version", "1.30.5")
    assert done.returncode == 0, done.stdout + done.stderr
    apply(sandbox.api, deployment("shop", "web"))
    await_running(sandbox.api, "shop", 2)
    return sandbox


def test_a_good_mesh(meshed: Sandbox, tmp_path: Path) -> None:
    flags = environments(tmp_path, cluster={"nodes": {"min": 3, "max": 5, "size": "Standard_D4s_v3"}})
    checked = preflight(meshed, *flags)
    assert checked.code == 0
    assert {item["result"] for item in checked.document["checks"] if item["name"] != "pull-secret"} == {"passed"}
    assert checked.passed("plan").startswith("upgrade from 1.30.5 to 1.31.1")
    assert checked.passed("node-pools") == "3 × Standard_D4s_v3"
    assert checked.passed("gateway-address") == "istio-ingressgateway has 127.147.0.10"
    assert checked.passed("image-hubs") == "Istio's images come from docker.io/istio"
    assert checked.passed("permissions").startswith("all ")


def test_node_pools(meshed: Sandbox, tmp_path: Path) -> None:
    flags = environments(tmp_path, cluster={"nodes": {"min": 5, "max": 10, "size": "Standard_D8s_v3"}})
    checked = preflight(meshed, *flags)
    words = "the cluster has 3 × Standard_D4s_v3; meant are 5 to 10 × Standard_D8s_v3"
    assert checked.failed("node-pools", "warning") == words


def test_capacity(meshed: Sandbox, tmp_path: Path) -> None:
    """Most of each node is asked for by others; where the cluster may grow that is no reason to stop."""
    large = deployment("payments", "large", replicas=3)
    container = large["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"memory": "12Gi"}}
    large["spec"]["template"]["metadata"]["labels"]["sidecar.istio.io/inject"] = "false"
    with there(meshed, large):
        await_running(meshed.api, "payments", 3)
        checked = preflight(meshed)
        assert checked.passed("capacity").endswith("stay free on 3 nodes")
        with patched(
            meshed,
            f"/api/v1/nodes/{meshed.api.items('/api/v1/nodes')[0]['metadata']['name']}",
            {"spec": {"unschedulable": True}},
            {"spec": {"unschedulable": None}},
        ):
            full = preflight(meshed)
            flags = environments(tmp_path, cluster={"nodes": {"min": 3, "max": 5, "size": "Standard_D4s_v3"}})
            growing = preflight(meshed, *flags)
    assert full.failed("capacity") == "istiod: room for 2 of 3 pods of 0.5 CPU and 2048 MiB each, on 3 nodes"
    assert growing.failed("capacity", "warning").startswith("istiod: room for 2 of 3 pods")
    assert growing.code == 0


@pytest.mark.parametrize("how", ["asks for", "has"])
def test_gateway_address(meshed: Sandbox, how: str) -> None:
    """It is the gateway's own address, which another Service asks for; and one that another Service has."""
    wanted = "127.147.0.10" if how == "asks for" else "127.147.0.11"
    other = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "squatter", "namespace": "shop", "annotations": {ADDRESS: wanted}},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "web"}},
    }
    with there(meshed, other):
        if how == "has":
            path = "/api/v1/namespaces/istio-system/services/istio-ingressgateway"
            status = {"status": {"loadBalancer": {"ingress": [{"ip": "127.147.0.10"}]}}}
            meshed.api.merge_patch("/api/v1/namespaces/shop/services/squatter/status", status)
            assert meshed.api.get(path)
        message = preflight(meshed).failed("gateway-address")
    assert message.startswith("127.147.0.10 of istio-ingressgateway is taken: shop/squatter ")


def test_application_namespaces(meshed: Sandbox, tmp_path: Path) -> None:
    apply(meshed.api, namespace("plain", injected=False))
    checked = preflight(meshed, *environments(tmp_path, applicationNamespaces=["shop", "plain", "nowhere"]))
    assert checked.failed("application-namespaces", "warning").splitlines() == [
        "plain is not labelled istio-injection=enabled (it has no label)",
        "nowhere does not exist",
    ]


@pytest.mark.parametrize(("label", "value"), [("istio-injection", "enabled"), ("istio.io/rev", "canary")])
def test_system_namespaces(meshed: Sandbox, label: str, value: str) -> None:
    with patched(meshed, DEFAULT, {"metadata": {"labels": {label: value}}}, {"metadata": {"labels": {label: None}}}):
        assert preflight(meshed).failed("system-namespaces") == f"default is labelled {label}={value}"


def pull_secret(place: str, host: str = "docker.io") -> dict[str, Any]:
    config = b64encode(json.dumps({"auths": {host: {"auth": b64encode(b"u:very-secret").decode()}}}).encode())
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "jfrogauth", "namespace": place},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": config.decode()},
    }


def test_pull_secret(meshed: Sandbox, tmp_path: Path) -> None:
    flags = environments(tmp_path, istio={"pullSecret": "jfrogauth"})
    places = ("istio-system", *NAMESPACES)
    with there(meshed, *map(pull_secret, places)):
        good = preflight(meshed, *flags)
    with there(meshed, *map(pull_secret, places[:2]), pull_secret("media", "ghcr.io")):
        bad = preflight(meshed, *flags)
    assert good.passed("pull-secret").startswith("jfrogauth for docker.io is in ")
    assert bad.failed("pull-secret").splitlines() == [
        "media/jfrogauth has nothing for docker.io (it has: ghcr.io)",
        "payments has no Secret jfrogauth",
    ]
    assert "very-secret" not in str(bad.document) + str(good.document)


def test_stale_webhooks(meshed: Sandbox) -> None:
    """Another revision's stops a run; one whose Service the install brings back is worth a word."""
    injector = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "istio-sidecar-injector-old", "labels": {"app": "sidecar-injector"}},
        "webhooks": [
            {
                "name": "rev.namespace.sidecar-injector.istio.io",
                "clientConfig": {"service": {"namespace": "istio-system", "name": "istiod-old"}},
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "namespaceSelector": {"matchLabels": {"istio.io/rev": "old"}},
            }
        ],
    }
    with there(meshed, injector):
        message = preflight(meshed).failed("stale-webhooks")
    assert message == (
        "MutatingWebhookConfiguration istio-sidecar-injector-old calls Service istio-system/istiod-old, which does not "
        "exist: no pod can be created in the namespaces that it injects"
    )
    path = "/api/v1/namespaces/istio-system/services/istiod"
    service = meshed.api.get(path)
    assert service is not None
    meshed.api.delete(path)
    try:
        checked = preflight(meshed)
    finally:
        own = {
            key: service["metadata"][key]
            for key in ("name", "namespace", "labels", "annotations")
            if key in service["metadata"]
        }
        spec = {
            key: value for key, value in service["spec"].items() if key in ("ports", "selector", "type", "clusterIP")
        }
        meshed.api.create(path.rpartition("/")[0], service | {"metadata": own, "spec": spec})
    assert "which does not exist" in checked.failed("stale-webhooks", "warning")


def test_budgets(meshed: Sandbox) -> None:
    first, second = budget("shop", "web", minimum=1), budget("shop", "second", minimum=2, selector={"app": "web"})
    with there(meshed, first):
        assert preflight(meshed).passed("overlapping-budgets").endswith("no two over one pod")
        with there(meshed, second):
            await_status(meshed, second)
            checked = preflight(meshed)
    assert "shop: second and web are over the same pods (web-" in checked.failed("overlapping-budgets", "warning")
    assert checked.failed("blocking-budgets", "warning") == "shop/second: minAvailable 2 of 2 pods lets none go"
    assert checked.code == 0


def await_status(sandbox: Sandbox, item: dict[str, Any]) -> None:
    for _ in range(100):
        live = sandbox.api.get(sandbox.api.path_of(item))
        if live is not None and live.get("status", {}).get("expectedPods"):
            return
    raise AssertionError("the budget's status was not written")


def test_image_hubs(meshed: Sandbox) -> None:
    old = deployment("plain-old", "web", replicas=1)
    old["spec"]["template"]["spec"]["containers"].append(
        {"name": "istio-proxy", "image": "gcr.io/istio-release/proxyv2:1.22.0"}
    )
    with there(meshed, namespace("plain-old", injected=False), old):
        await_running(meshed.api, "plain-old", 1)
        message = preflight(meshed).failed("image-hubs", "warning")
    assert message.startswith("gcr.io/istio-release closes around December 2026: plain-old/web-")


def test_lock(meshed: Sandbox) -> None:
    def held(ago: timedelta) -> dict[str, Any]:
        renewed = (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {"spec": {"holderIdentity": "ada@elsewhere run 1", "renewTime": renewed}}

    nobody = {"spec": {"holderIdentity": None, "renewTime": None}}
    with patched(meshed, path_of(LEASE_REF), held(timedelta(seconds=2)), nobody):
        assert preflight(meshed).failed("lock").startswith("held by ada@elsewhere run 1, since ")
    with patched(meshed, path_of(LEASE_REF), held(timedelta(minutes=10)), nobody):
        checked = preflight(meshed)
    assert checked.failed("lock", "warning").endswith("that run seems to be dead")
    assert checked.code == 0
