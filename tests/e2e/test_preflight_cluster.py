"""Preflight's checks of what is in the cluster, each as it passes and as it fails, beside a mesh of 1.30.5.

Looking takes seconds, so what is wrong is wrong all at once, and looked at once.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from preflight_runs import Checked, environments, patched, preflight, there
from sandboxes import Sandbox
from sohistio.adapters.kubernetes.lease import LEASE_REF
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.checks.preflight.quantities import Amount, pod_request
from workloads import apply, await_running, budget, deployment, namespace

pytestmark = pytest.mark.e2e

NAMESPACES = ("shop", "payments", "media")
ADDRESS = "service.beta.kubernetes.io/azure-load-balancer-ipv4"
NODES = {"min": 3, "max": 5, "size": "Standard_D4s_v3"}
NOBODY = {"spec": {"holderIdentity": None, "renewTime": None}}


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    """Istio 1.30.5, local's namespaces, and one workload with a sidecar."""
    sandbox.with_mesh("1.30.5")
    for name in NAMESPACES:
        apply(sandbox.api, namespace(name))
    apply(sandbox.api, deployment("shop", "web"))
    await_running(sandbox.api, "shop", 2)
    return sandbox


def pull_secret(place: str, host: str = "docker.io") -> dict[str, Any]:
    config = b64encode(json.dumps({"auths": {host: {"auth": b64encode(b"u:very-secret").decode()}}}).encode())
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "jfrogauth", "namespace": place},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": config.decode()},
    }


def test_a_good_mesh(meshed: Sandbox, tmp_path: Path) -> None:
    """Every check passes."""
    flags = environments(tmp_path, cluster={"nodes": NODES}, istio={"pullSecret": "jfrogauth"})
    places = ("istio-system", *NAMESPACES)
    with there(meshed, *map(pull_secret, places), budget("shop", "web", minimum=1)):
        checked = preflight(meshed, *flags)
    assert checked.code == 0
    # There is no Azure, no Gateway API, no policy, no webhook of others, and nothing is pulled on a sandbox
    # (test_images_check.py asks a registry).
    of_azure = ("cluster-identity", "cluster-running", "managed-add-on")
    of_policy = ("policy-hand-made", "policy-lock-out", "policy-hosts", "policy-audit")
    of_images = ("images", "image-platforms", "image-signatures")
    not_asked = (*of_azure, *of_policy, *of_images, "gateway-api-crds", "pod-webhooks")
    assert {item["result"] for item in checked.document["checks"] if item["name"] not in not_asked} == {"passed"}
    assert checked.passed("plan").startswith("upgrade from 1.30.5 to 1.31.1")
    assert checked.passed("node-pools") == "3 × Standard_D4s_v3"
    assert checked.passed("gateway-address") == "istio-ingressgateway has 127.147.0.10"
    assert checked.passed("image-hubs") == "Istio's images come from docker.io/istio"
    assert checked.passed("permissions").startswith("all ")
    assert checked.passed("pull-secret").startswith("jfrogauth for docker.io/istio is in ")
    assert "very-secret" not in str(checked.document)


def test_a_full_cluster_has_no_room_for_a_rollout(meshed: Sandbox, tmp_path: Path) -> None:
    """The mesh fits, and 100 MiB more a node: an upgrade's istiod would not come up beside the old one."""
    api = meshed.api
    free = {}
    for item in api.items("/api/v1/nodes"):
        name = item["metadata"]["name"]
        there_now = [pod for pod in api.items("/api/v1/pods") if pod["spec"].get("nodeName") == name]
        used = sum((pod_request(pod["spec"]) for pod in there_now), Amount())
        free[name] = Amount.of(item["status"]["allocatable"]).memory - used.memory
    fillers = []
    for name, left in free.items():
        filler = deployment("shop", f"filler-{name}", replicas=1, labels={"sidecar.istio.io/inject": "false"})
        spec = filler["spec"]["template"]["spec"]
        spec["nodeSelector"] = {"kubernetes.io/hostname": name}
        spec["containers"][0]["resources"] = {"requests": {"memory": f"{int(left / 1024**2) - 100}Mi"}}
        fillers.append(filler)
    flags = environments(tmp_path, cluster={"nodes": NODES | {"max": 3}})
    with there(meshed, *fillers):
        await_running(api, "shop", 5)
        checked = preflight(meshed, *flags)
        assert checked.failures == []
        message = checked.failed("capacity", "warning")
        assert "rollout of istiod: no room for 3 of the 3 pods of 0.5 CPU and 2048 MiB each that it adds" in message
        assert "it hangs until one has room" in message
        assert "Add a node" in checked.of("capacity")[0].hint


def squatter() -> dict[str, Any]:
    """It asks for the gateway's own address."""
    metadata = {"name": "squatter", "namespace": "shop", "annotations": {ADDRESS: "127.147.0.10"}}
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "web"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def injector(service: str) -> dict[str, Any]:
    """An injector's configuration that leads to this Service, of a revision that nobody uses."""
    hook = {
        "name": "rev.namespace.sidecar-injector.istio.io",
        "clientConfig": {"service": {"namespace": "istio-system", "name": service}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"istio.io/rev": "old"}},
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "istio-sidecar-injector-old", "labels": {"app": "sidecar-injector"}},
        "webhooks": [hook],
    }


def large(place: str) -> dict[str, Any]:
    """Three pods that take most of each node."""
    item = deployment(place, "large", replicas=3)
    item["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"memory": "12Gi"}}
    return item


def with_old_proxy(place: str) -> dict[str, Any]:
    """Of another mesh, which its annotation says: its version is no matter of this one's istiod."""
    item = deployment(place, "old", replicas=1)
    proxy = {"name": "istio-proxy", "image": "gcr.io/istio-release/proxyv2:1.22.0"}
    item["spec"]["template"]["spec"]["containers"].append(proxy)
    item["spec"]["template"]["metadata"]["annotations"] = {"istio.io/rev": "old"}
    return item


def held(ago: timedelta) -> dict[str, Any]:
    """A Lease whose holder gave its last sign of life so long ago."""
    renewed = (datetime.now(UTC) - ago).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"spec": {"holderIdentity": "ada@elsewhere run 1", "renewTime": renewed}}


def label(**labels: str | None) -> dict[str, Any]:
    return {"metadata": {"labels": {key.replace("_", "-"): value for key, value in labels.items()}}}


@pytest.fixture(scope="module")
def spoilt(meshed: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """One look at a cluster in which all of this is wrong."""
    sandbox, second = meshed, budget("shop", "second", minimum=2, selector={"app": "web"})
    flags = environments(
        tmp_path_factory.mktemp("spoilt"),
        cluster={"nodes": {"min": 1, "max": 2, "size": "Standard_D4s_v3"}},
        istio={"pullSecret": "jfrogauth"},
        applicationNamespaces=["shop", "plain", "nowhere"],
    )
    with ExitStack() as stack:
        objects = [namespace(place, injected=False) for place in ("plain", "outside")]
        objects += [large("plain"), with_old_proxy("outside"), squatter()]
        objects += [budget("shop", "web", minimum=1), second, injector("istiod-old")]
        objects += [pull_secret("istio-system"), pull_secret("shop"), pull_secret("media", "ghcr.io")]
        stack.enter_context(there(sandbox, *objects))
        await_running(sandbox.api, "plain", 3)
        await_running(sandbox.api, "outside", 1)
        await_status(sandbox, second)
        for path, patch, back in (
            ("/api/v1/namespaces/default", label(istio_injection="enabled"), label(istio_injection=None)),
            *cordons(sandbox)[1:],
            (path_of(LEASE_REF), held(timedelta(seconds=2)), NOBODY),
        ):
            stack.enter_context(patched(sandbox, path, patch, back))
        checked = preflight(sandbox, *flags)
    assert checked.code == 3
    return checked


Patch = tuple[str, dict[str, Any], dict[str, Any]]


def cordons(sandbox: Sandbox) -> list[Patch]:
    """What cordons each node, and what undoes it."""
    names = [item["metadata"]["name"] for item in sandbox.api.items("/api/v1/nodes")]
    on, off = ({"spec": {"unschedulable": value}} for value in (True, None))
    return [(f"/api/v1/nodes/{name}", on, off) for name in names]


def await_status(sandbox: Sandbox, item: dict[str, Any]) -> None:
    for _ in range(100):
        live = sandbox.api.get(sandbox.api.path_of(item))
        if live is not None and live.get("status", {}).get("expectedPods"):
            return
        time.sleep(0.1)
    raise AssertionError("the budget's status was not written")


def test_what_stops_a_run_and_what_does_not(spoilt: Checked) -> None:
    stopping = ["lock", "capacity", "gateway-address", "system-namespaces", "pull-secret", "stale-webhooks"]
    assert spoilt.failures == stopping
    assert spoilt.code == 3


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("lock", "error", "held by ada@elsewhere run 1, since "),
        ("node-pools", "warning", "the cluster has 3 × Standard_D4s_v3; meant are 1 to 2 × Standard_D4s_v3"),
        ("capacity", "error", "of 3 pods of 0.5 CPU and 2048 MiB each, on 3 nodes"),
        ("gateway-address", "error", "127.147.0.10 of istio-ingressgateway is taken: shop/squatter asks for it"),
        ("pull-secret", "error", "plain has no Secret jfrogauth"),
        ("application-namespaces", "warning", "nowhere does not exist"),
        ("system-namespaces", "error", "default is labelled istio-injection=enabled"),
        (
            "pull-secret",
            "error",
            "media/jfrogauth has no user name and password for docker.io/istio (its entries: ghcr.io)",
        ),
        ("pull-secret", "error", "payments has no Secret jfrogauth"),
        ("stale-webhooks", "error", "istio-sidecar-injector-old calls Service istio-system/istiod-old, which does not"),
        ("overlapping-budgets", "warning", "shop: second and web are over the same pods (web-"),
        ("blocking-budgets", "warning", "shop/second: minAvailable 2 of 2 pods lets none go"),
        ("image-hubs", "warning", "gcr.io/istio-release closes around December 2026: outside/old-"),
    ],
)
def test_what_is_wrong(spoilt: Checked, name: str, severity: str, words: str) -> None:
    assert words in spoilt.failed(name, severity)


def test_no_secret_is_told(spoilt: Checked) -> None:
    assert "very-secret" not in str(spoilt.document)
    assert b64encode(b"u:very-secret").decode() not in str(spoilt.document)


def test_what_is_bad_elsewhere_is_only_worth_a_word(meshed: Sandbox, tmp_path: Path) -> None:
    """A dead run's lock, a full cluster that may grow, and a webhook whose Service the install brings back."""
    flags = environments(tmp_path, cluster={"nodes": NODES})
    service = "/api/v1/namespaces/istio-system/services/istiod"
    found = meshed.api.get(service)
    assert found is not None
    dead = held(timedelta(minutes=10))
    with ExitStack() as stack:
        for patch in (*cordons(meshed), (path_of(LEASE_REF), dead, NOBODY)):
            stack.enter_context(patched(meshed, *patch))
        meshed.api.delete(service)
        try:
            checked = preflight(meshed, *flags)
        finally:
            kept = {key: value for key, value in found["metadata"].items() if key in ("name", "namespace", "labels")}
            spec = {key: found["spec"][key] for key in ("ports", "selector", "clusterIP")}
            meshed.api.create(service.rpartition("/")[0], found | {"metadata": kept, "spec": spec})
    assert checked.failed("lock", "warning").endswith("that run seems to be dead")
    assert "istiod: room for 0 of 3 pods" in checked.failed("capacity", "warning")
    assert "which does not exist" in checked.failed("stale-webhooks", "warning")
    assert checked.code == 0
