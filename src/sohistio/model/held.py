"""A gateway whose rollout waits for its turn: the mark on its Deployment, and how far it is. Pure.

`spec.paused` keeps the Deployment's controller from replacing pods whatever is applied to it (Kubernetes, "Pausing and
resuming a rollout of a Deployment"); the pods that run go on serving, and an autoscaler still scales them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HELD = "sohistio.io/held"
"""An annotation on a gateway's Deployment: sohistio has paused it, until its turn comes."""
GOES_ON = "`sohistio install` goes on with it, `sohistio rollback` goes back"
"""What to do about a gateway that is held."""
_APPLIED = "operator.istio.io/version"
_NOT_YET = "held"

# istioctl puts its label right when it applies the Deployment, also where it changes nothing else: that is how an
# apply is noticed.
HOLD: dict[str, Any] = {
    "metadata": {"annotations": {HELD: "true"}, "labels": {_APPLIED: _NOT_YET}},
    "spec": {"paused": True},
}
STOP: dict[str, Any] = {"metadata": {"annotations": {HELD: "true"}}, "spec": {"paused": True}}
LET_GO: dict[str, Any] = {"metadata": {"annotations": {HELD: None}}, "spec": {"paused": None}}


def is_held(deployment: Mapping[str, Any]) -> bool:
    """Whether sohistio has paused it; a pause of somebody else's is not ours to end."""
    return bool(deployment["spec"].get("paused")) and HELD in (deployment["metadata"].get("annotations") or {})


def is_paused_by_others(deployment: Mapping[str, Any]) -> bool:
    """Whether somebody has paused it, and that was not sohistio."""
    return bool(deployment["spec"].get("paused")) and not is_held(deployment)


def is_applied(deployment: Mapping[str, Any]) -> bool:
    """Whether istioctl has applied it since it was held, and its controller has seen that."""
    metadata = deployment["metadata"]
    observed = int((deployment.get("status") or {}).get("observedGeneration", 0))
    labels = metadata.get("labels") or {}
    return labels.get(_APPLIED) != _NOT_YET and observed >= int(metadata.get("generation", 0))


def has_new_template(deployment: Mapping[str, Any]) -> bool:
    """Whether its controller has made a pod of the newest template."""
    status = deployment.get("status") or {}
    seen = int(status.get("observedGeneration", 0)) >= int(deployment["metadata"].get("generation", 0))
    return seen and bool(status.get("updatedReplicas"))


def old_pods(deployment: Mapping[str, Any]) -> int:
    """Pods of an older template than the newest."""
    status = deployment.get("status") or {}
    return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))


def new_pods(deployment: Mapping[str, Any]) -> int:
    """Pods of the newest template that have served for `minReadySeconds`; at least so many, as statuses count."""
    status = deployment.get("status") or {}
    updated, available = int(status.get("updatedReplicas", 0)), int(status.get("availableReplicas", 0))
    return min(updated, max(0, available - old_pods(deployment)))
