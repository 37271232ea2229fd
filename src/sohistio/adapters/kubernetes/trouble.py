"""Adapter: why a rollout does not get on, in the words of its pods' conditions, containers and events."""

from __future__ import annotations

from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.model.selector import selector_matches
from sohistio.model.state import ObjectRef
from sohistio.system.sanitize import one_line

MOST_LINES = 6
# What a pod says while nothing is wrong.
_NORMAL = frozenset({"ContainerCreating", "PodInitializing", ""})


def why_not_ready(api: KubeApi, ref: ObjectRef, *, with_events: bool = True) -> tuple[str, ...]:
    """At most six lines such as `istiod-7d…: ImagePullBackOff: …`; empty where nothing stands out.

    Reading what is wrong must never make things worse: an error here is one of the lines.
    """
    try:
        item = api.get(path_of(ref))
        if item is None:
            return (f"{ref} does not exist",)
        pods = _pods_of(api, ref.namespace, item)
        lines = [*conditions_of(item), *(line for pod in pods for line in pod_trouble(pod))]
        if with_events:
            names = {ref.name, *(pod["metadata"]["name"] for pod in pods if not _is_ready(pod))}
            lines += _events(api, ref.namespace, names)
    except KubeError as error:
        return (error.what,)
    return tuple(dict.fromkeys(map(one_line, lines)))[:MOST_LINES]


def has_no_room(api: KubeApi, place: str, workload: Object) -> bool:
    """Whether a pod of it waits for a node that takes it (condition PodScheduled, reason Unschedulable)."""
    return any(
        condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable"
        for pod in _pods_of(api, place, workload)
        for condition in (pod.get("status") or {}).get("conditions") or ()
        if condition["status"] == "False"
    )


def _pods_of(api: KubeApi, place: str, workload: Object) -> list[Object]:
    return [
        pod
        for pod in api.items(f"/api/v1/namespaces/{place}/pods")
        if selector_matches(workload["spec"]["selector"], pod["metadata"].get("labels") or {})
    ]


def conditions_of(workload: Object) -> list[str]:
    """A Deployment's own complaints: ReplicaFailure (quota, admission) and a passed progress deadline."""
    conditions = (workload.get("status") or {}).get("conditions") or ()
    return [
        f"{workload['metadata']['name']}: {condition.get('reason', '')}: {condition.get('message', '')}"
        for condition in conditions
        if (condition["type"], condition["status"]) in {("ReplicaFailure", "True"), ("Progressing", "False")}
    ]


def pod_trouble(pod: Object) -> list[str]:
    """What keeps a pod from being ready: unschedulable, or a container that waits, crashes or was killed."""
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    lines = [
        f"{name}: {condition.get('reason', '')}: {condition.get('message', '')}"
        for condition in status.get("conditions") or ()
        if condition["type"] == "PodScheduled" and condition["status"] == "False"
    ]
    for container in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        waiting: dict[str, Any] = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason", "") not in _NORMAL:
            said = f": {waiting['message']}" if waiting.get("message") else ""
            lines.append(f"{name}: container {container['name']}: {waiting['reason']}{said}{_last_end(container)}")
    return lines


def _last_end(container: Object) -> str:
    """How a container that is started again and again ended: OOMKilled says more than CrashLoopBackOff."""
    ended: dict[str, Any] = (container.get("lastState") or {}).get("terminated") or {}
    return f" (it ended with {ended.get('reason', 'Error')}, exit code {ended.get('exitCode')})" if ended else ""


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _events(api: KubeApi, namespace: str, names: set[str]) -> list[str]:
    warnings = api.items(collection_path("Event", namespace), fields="type=Warning")
    about = [event for event in warnings if event.get("involvedObject", {}).get("name", "") in names]
    return [
        f"{event['involvedObject']['name']}: {event.get('reason', '')}: {event.get('message', '')}"
        for event in sorted(about, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    ][-MOST_LINES:]
