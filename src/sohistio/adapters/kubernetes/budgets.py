"""Adapter: a raw PodDisruptionBudget → Budget."""

from __future__ import annotations

from sohistio.adapters.kubernetes.api import Object
from sohistio.model.state import Budget, ObjectRef


def budget_in(item: Object) -> Budget:
    """What planners know of it."""
    spec, status = item["spec"], item.get("status") or {}
    return Budget(
        ref=ObjectRef("PodDisruptionBudget", item["metadata"]["namespace"], item["metadata"]["name"]),
        # In policy/v1 an empty selector picks every pod of the namespace, and none at all picks nothing.
        selector=spec["selector"] if spec.get("selector") is not None else {"matchLabels": {"": "selects nothing"}},
        min_available=str(spec.get("minAvailable", "")),
        max_unavailable=str(spec.get("maxUnavailable", "")),
        desired_healthy=int(status.get("desiredHealthy", 0)),
        expected_pods=int(status.get("expectedPods", 0)),
        disruptions_allowed=int(status.get("disruptionsAllowed", 0)),
    )
