"""Meshes that others put there: Istio's in-cluster operator at work, and a manifest applied client-side."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sandboxes import Sandbox
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.foreign import OPERATOR_FINALIZER
from sohistio.adapters.kubernetes.manifest import read_manifest
from sohistio.istioctl import Istioctl
from sohistio.plan.ownership import LAST_APPLIED
from workloads import await_running, deployment, namespace, path_of, pods_of

CLIENT_SIDE = "kubectl-client-side-apply"
CONTROLLER = "/apis/apps/v1/namespaces/istio-operator/deployments/istio-operator"
OPERATORS = "/apis/install.istio.io/v1alpha1/namespaces/istio-system/istiooperators"
HPA = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"
REVERTED_TO = 7


def create(api: KubeApi, obj: dict[str, Any], manager: str = "kubectl-create") -> None:
    path = path_of(obj) if obj["kind"] in ("Namespace", "Deployment", "PodDisruptionBudget") else api.path_of(obj)
    api.request("POST", path.rpartition("/")[0], query={"fieldManager": manager}, body=obj)


def until(holds: Callable[[], bool]) -> None:
    """Wait for it, at most half a minute."""
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def mesh_pods(api: KubeApi) -> dict[str, str]:
    """The mesh's pods by name, with their UIDs: the same UIDs are the same pods."""
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods_of(api, "istio-system")}


def apply_client_side(sandbox: Sandbox, istioctl: Istioctl, version: str, edits: dict[str, Any]) -> None:
    """`istioctl manifest generate | kubectl apply -f -`, with `edits` of the objects named in them (None: left out)."""
    operator = sandbox.run("render", "--env", "local", "--version", version).stdout
    manifest = read_manifest(istioctl.manifest_generate(operator))
    api = sandbox.api
    create(api, namespace("istio-system", injected=False))
    for obj in sorted(manifest, key=lambda item: item["kind"] != "CustomResourceDefinition"):
        key = f"{obj['kind']}/{obj['metadata']['name']}"
        if key in edits and edits[key] is None:
            continue
        edits.get(key, lambda _: None)(obj)
        last_applied = {LAST_APPLIED: json.dumps({"kind": obj["kind"]})}
        obj["metadata"]["annotations"] = (obj["metadata"].get("annotations") or {}) | last_applied
        create(api, obj, CLIENT_SIDE)
    await_running(api, "istio-system", 9)


def put_operator(api: KubeApi) -> None:
    """As `istioctl operator init` left it: namespace, CRD, controller, and an IstioOperator with its finalizer."""
    create(api, namespace("istio-operator", injected=False))
    controller = deployment("istio-operator", "istio-operator", replicas=1)
    controller["spec"]["template"]["spec"]["containers"][0]["image"] = "docker.io/istio/operator:1.22.0"
    create(api, controller)
    names = {"kind": "IstioOperator", "listKind": "IstioOperatorList", "plural": "istiooperators"}
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "istiooperators.install.istio.io"},
        "spec": {
            "group": "install.istio.io",
            "names": names | {"singular": "istiooperator"},
            "scope": "Namespaced",
            "versions": [version],
        },
    }
    create(api, crd)
    operator = {
        "apiVersion": "install.istio.io/v1alpha1",
        "kind": "IstioOperator",
        "metadata": {"name": "example", "finalizers": [OPERATOR_FINALIZER, "example.com/ours"]},
        "spec": {"profile": "default"},
    }
    until(lambda: api.get("/apis/install.istio.io/v1alpha1") is not None)
    api.request("POST", OPERATORS, query={"fieldManager": "kubectl-create"}, body=operator)
    await_running(api, "istio-operator", 1)


@contextmanager
def operator_at_work(api: KubeApi) -> Iterator[None]:
    """A controller that takes back what others do, while its Deployment has a pod: HPA and finalizer."""
    stop = threading.Event()

    def reconcile() -> None:
        while not stop.wait(0.1):
            controller, hpa = api.get(CONTROLLER), api.get(HPA)
            if controller is None or not (controller.get("status") or {}).get("replicas"):
                continue
            if hpa is not None and hpa["spec"]["maxReplicas"] != REVERTED_TO:
                patch(api, HPA, {"spec": {"maxReplicas": REVERTED_TO}}, "operator")
            held = api.get(f"{OPERATORS}/example")
            if held is not None and OPERATOR_FINALIZER not in held["metadata"].get("finalizers", ()):
                finalizers = [*held["metadata"].get("finalizers", ()), OPERATOR_FINALIZER]
                patch(api, f"{OPERATORS}/example", {"metadata": {"finalizers": finalizers}}, "operator")

    thread = threading.Thread(target=reconcile)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def patch(api: KubeApi, path: str, body: dict[str, Any], manager: str) -> None:
    api.request("PATCH", path, query={"fieldManager": manager}, body=body, content_type="application/merge-patch+json")
