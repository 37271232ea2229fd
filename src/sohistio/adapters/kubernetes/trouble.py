"""Adapter: why a rollout does not get on, in the words of its pods' conditions, containers and events."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
        warnings = _warnings(api, ref.namespace) if with_events else []
        lines = [*conditions_of(item, warnings), *(line for pod in pods for line in pod_trouble(pod))]
        names = {ref.name, *(pod["metadata"]["name"] for pod in pods if not _is_ready(pod))}
        lines += [_line_of(event) for event in warnings if _about(event) in names and not _is_of_metrics(event)]
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


def conditions_of(workload: Object, warnings: Sequence[Object] = ()) -> list[str]:
    """A Deployment's own complaints: ReplicaFailure (quota, admission) and a passed progress deadline.

    `warnings` are its namespace's Events, the newest first. ReplicaFailure keeps the message of the first pod that was
    refused for as long as any is (calculateStatus in kubernetes, pkg/controller/replicaset): what a newer Event of its
    ReplicaSets says is why it is so now.
    """
    lines = []
    for condition in (workload.get("status") or {}).get("conditions") or ():
        name, reason, message = workload["metadata"]["name"], condition.get("reason", ""), condition.get("message", "")
        match condition["type"], condition["status"]:
            case "ReplicaFailure", "True":
                said = next((event for event in warnings if _is_of_replicas(event, name, reason)), None)
                since = condition.get("lastUpdateTime") or condition.get("lastTransitionTime")
                newer = said is not None and _time_of(said) >= _seconds(since)
                lines.append(f"{name}: {reason}: {_of_any_pod(said) if said and newer else message}")
            case "Progressing", "False":
                lines.append(f"{name}: {reason}: {message}")
    return lines


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


def _warnings(api: KubeApi, namespace: str) -> list[Object]:
    """The namespace's Events of type Warning, the newest first."""
    found = api.items(collection_path("Event", namespace), fields="type=Warning")
    return sorted(found, key=_time_of, reverse=True)


def _time_of(event: Object) -> str:
    """When it was seen last: one that comes again is counted, by its own `lastTimestamp` or in its `series`."""
    times = (event.get("lastTimestamp"), (event.get("series") or {}).get("lastObservedTime"), event.get("eventTime"))
    return max(map(_seconds, times))


def _seconds(time: Any) -> str:
    """Comparable as text: `2026-11-28T20:00:00Z` and `2026-11-28T20:00:00.123456Z` are both in use."""
    return str(time or "").removesuffix("Z")


def _about(event: Object) -> str:
    return str((event.get("involvedObject") or {}).get("name", ""))


def _is_of_replicas(event: Object, deployment: str, reason: str) -> bool:
    """Whether it is about a ReplicaSet of the Deployment (`<deployment>-<hash>`), for the same reason."""
    about = event.get("involvedObject") or {}
    is_its = about.get("kind") == "ReplicaSet" and _about(event).rpartition("-")[0] == deployment
    return is_its and event.get("reason", "") == reason


def _of_any_pod(event: Object) -> str:
    """Its message without the name that the next pod will not have: so the same reason is the same text."""
    return re.sub(rf'"{re.escape(_about(event))}-[a-z0-9]+"', f'"{_about(event)}-…"', str(event.get("message", "")))


def _is_of_metrics(event: Object) -> bool:
    """An autoscaler without metrics keeps no rollout from coming up, and says so twice with every look."""
    about = event.get("involvedObject") or {}
    return about.get("kind") == "HorizontalPodAutoscaler" and "Metric" in str(event.get("reason", ""))


def _line_of(event: Object) -> str:
    return f"{_about(event)}: {event.get('reason', '')}: {event.get('message', '')}"
