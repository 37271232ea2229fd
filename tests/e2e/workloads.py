"""Workloads for stories, and waits for them; raw objects over the real API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi

_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
}


def namespace(name: str, *, injected: bool = True) -> dict[str, Any]:
    labels = {"istio-injection": "enabled"} if injected else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def deployment(
    place: str, name: str, *, replicas: int = 2, labels: Mapping[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    """A Deployment of pods labelled app=<name>; keyword arguments go into its spec."""
    pod_labels = {"app": name} | dict(labels or {})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": place},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": pod_labels},
                "spec": {"containers": [{"name": "app", "image": f"example/{name}:1"}]},
            },
            **spec,
        },
    }


def stateful_set(place: str, name: str, *, replicas: int = 2) -> dict[str, Any]:
    item = deployment(place, name, replicas=replicas, serviceName=name, podManagementPolicy="Parallel")
    return item | {"kind": "StatefulSet"}


def daemon_set(place: str, name: str) -> dict[str, Any]:
    item = deployment(place, name)
    del item["spec"]["replicas"]
    return item | {"kind": "DaemonSet"}


def budget(place: str, name: str, *, minimum: int, selector: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A PodDisruptionBudget over pods labelled app=<name>, or as the selector says."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": place},
        "spec": {"minAvailable": minimum, "selector": {"matchLabels": dict(selector or {"app": name})}},
    }


def path_of(obj: dict[str, Any]) -> str:
    return f"{_PATHS[obj['kind']].format(obj['metadata'].get('namespace'))}/{obj['metadata']['name']}"


def apply(api: KubeApi, obj: dict[str, Any]) -> None:
    """Create the object."""
    api.request("POST", path_of(obj).rpartition("/")[0], body=obj)


def pods_of(api: KubeApi, place: str, app: str = "") -> list[dict[str, Any]]:
    """The pods of a namespace, or of one workload, that are not on their way out; the oldest first."""
    pods = api.items(f"/api/v1/namespaces/{place}/pods", labels=f"app={app}" if app else "")
    there = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return sorted(there, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))


def pause(api: KubeApi, obj: dict[str, Any]) -> None:
    """Pause a Deployment's rollouts."""
    api.merge_patch(path_of(obj), {"spec": {"paused": True}})


def await_running(api: KubeApi, place: str, count: int) -> None:
    """Wait until `count` pods of a namespace are ready and not on their way out (at most a minute)."""
    for _ in range(120):
        ready = [
            pod
            for pod in pods_of(api, place)
            if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))
        ]
        if len(ready) >= count:
            return
        time.sleep(0.5)
    raise AssertionError(f"{len(ready)} of {count} pods of {place} are ready")


def quota(api: KubeApi, place: str, name: str, **hard: str) -> str:
    """A ResourceQuota (`requests_cpu` is `requests.cpu`), in force once its controller has counted; its path."""
    quotas = f"/api/v1/namespaces/{place}/resourcequotas"
    spec = {"hard": {key.replace("_", "."): most for key, most in hard.items()}}
    api.create(quotas, {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec})
    for _ in range(100):
        if ((api.get(f"{quotas}/{name}") or {}).get("status") or {}).get("used"):
            return f"{quotas}/{name}"
        time.sleep(0.1)
    raise AssertionError(f"the quota {name} of {place} is not in force")
