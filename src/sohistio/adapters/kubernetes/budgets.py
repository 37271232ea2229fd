"""Adapter: raw PodDisruptionBudgets, and the pods under them → Budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sohistio.adapters.kubernetes.api import Object
from sohistio.model.selector import selector_matches
from sohistio.model.state import Budget, ObjectRef


def budgets_in(lists: Mapping[str, list[Object]]) -> tuple[Budget, ...]:
    """What planners know of them."""
    replica_sets = {item["metadata"]["uid"]: item for item in lists["ReplicaSets"]}
    pods: dict[str, list[tuple[Mapping[str, str], ObjectRef]]] = {}
    for pod in lists["Pods"]:
        labels = pod["metadata"].get("labels") or {}
        pods.setdefault(pod["metadata"]["namespace"], []).append((labels, _owner(pod, replica_sets)))
    return tuple(_budget(item, pods.get(item["metadata"]["namespace"], ())) for item in lists["PodDisruptionBudgets"])


def _budget(item: Object, pods: Sequence[tuple[Mapping[str, str], ObjectRef]]) -> Budget:
    spec, status = item["spec"], item.get("status") or {}
    # In policy/v1 an empty selector picks every pod of the namespace, and none at all picks nothing.
    selector = spec["selector"] if spec.get("selector") is not None else {"matchLabels": {"": "selects nothing"}}
    return Budget(
        ref=ObjectRef("PodDisruptionBudget", item["metadata"]["namespace"], item["metadata"]["name"]),
        selector=selector,
        min_available=str(spec.get("minAvailable", "")),
        max_unavailable=str(spec.get("maxUnavailable", "")),
        desired_healthy=int(status.get("desiredHealthy", 0)),
        expected_pods=int(status.get("expectedPods", 0)),
        disruptions_allowed=int(status.get("disruptionsAllowed", 0)),
        over=frozenset(owner for labels, owner in pods if selector_matches(selector, labels)),
    )


def _owner(pod: Object, replica_sets: Mapping[str, Object]) -> ObjectRef:
    """Its workload; the ReplicaSet or the pod itself where nothing owns that."""
    place, kind, name = pod["metadata"]["namespace"], "Pod", pod["metadata"]["name"]
    metadata = pod["metadata"]
    while owner := next((item for item in metadata.get("ownerReferences") or () if item.get("controller")), None):
        kind, name = owner["kind"], owner["name"]
        metadata = replica_sets.get(owner["uid"], {}).get("metadata", {})
    return ObjectRef(kind, place, name)
