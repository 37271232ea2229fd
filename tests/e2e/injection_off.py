"""Workloads that started while nothing injected, and who has no sidecar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

from sandboxes import Sandbox
from shop import await_true
from workloads import apply, await_running, deployment, namespace, pods_of

HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
TAG = f"{HOOKS}/istio-revision-tag-default"


def found(box: Sandbox, path: str) -> dict[str, Any]:
    item = box.api.get(path)
    assert item is not None, path
    return deepcopy(dict(item))


def without_sidecars(box: Sandbox, place: str, items: int | Iterable[dict[str, Any]]) -> None:
    """Workloads that start while nothing injects: so many Deployments, or these."""
    tag = found(box, TAG)
    box.api.delete(TAG)
    apply(box.api, namespace(place))
    if isinstance(items, int):
        items = [deployment(place, f"w{number}", replicas=1) for number in range(items)]
    nodes = len(box.api.items("/api/v1/nodes"))
    pods = 0
    for item in items:
        apply(box.api, item)
        pods += nodes if item["kind"] == "DaemonSet" else item["spec"].get("replicas", 1)
    await_running(box.api, place, pods)
    for key in ("resourceVersion", "uid", "managedFields", "creationTimestamp", "generation"):
        del tag["metadata"][key]
    box.api.create(HOOKS, tag)


def bare(box: Sandbox, place: str) -> list[str]:
    """The Deployments with a pod that has no sidecar and stays."""
    pods = [pod for pod in pods_of(box.api, place) if "deletionTimestamp" not in pod["metadata"]]
    without = (pod for pod in pods if not _proxies(pod["spec"]))
    return sorted({pod["metadata"]["labels"]["app"] for pod in without})


def await_injection(box: Sandbox, places: Sequence[str]) -> None:
    """Until a new pod of each namespace would get a sidecar: the API server hears of a label a little later."""
    pod = {"metadata": {"name": "asked"}, "spec": {"containers": [{"name": "app", "image": "example/app:1"}]}}

    def injects(place: str) -> bool:
        path = f"/api/v1/namespaces/{place}/pods"
        return bool(_proxies(box.api.request("POST", path, query={"dryRun": "All"}, body=pod)["spec"]))

    await_true(lambda: all(map(injects, places)))


def _proxies(spec: dict[str, Any]) -> list[dict[str, Any]]:
    containers = (*(spec.get("initContainers") or ()), *spec["containers"])
    return [container for container in containers if container["name"] == "istio-proxy"]
