"""How far a rollout is. Pure: a raw Deployment, StatefulSet or DaemonSet in, {done, message} out.

The rules are those of `kubectl rollout status`, plus a least number of ready pods (an HPA may not have scaled up yet).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sohistio.model.held import is_held


@dataclass(frozen=True, slots=True)
class Progress:
    """`ready` of `wanted` pods, newest ones only; `done` when nothing old is left; `message` says what is missing."""

    ready: int
    wanted: int
    done: bool
    message: str


def progress_of(item: dict[str, Any], minimum: int = 0) -> Progress:
    """The rollout of a raw workload object; not done before `minimum` of its pods are ready."""
    status: dict[str, Any] = item.get("status") or {}
    seen = int(status.get("observedGeneration", 0)) >= int(item["metadata"].get("generation", 0))
    match item["kind"]:
        case "DaemonSet":
            progress = _daemon_set(status)
        case "StatefulSet":
            progress = _stateful_set(item["spec"], status)
        case _:
            progress = _deployment(item["spec"], status)
            if item["spec"].get("paused") and not progress.done:
                progress = replace(
                    progress, message="held until its turn" if is_held(item) else "its rollout is paused"
                )
    if not seen:
        return Progress(0, max(progress.wanted, minimum), False, "waiting for its controller to see the change")
    if progress.wanted < minimum:
        return Progress(progress.ready, minimum, False, f"waiting for {minimum} pods, {progress.wanted} asked for yet")
    return progress


def _deployment(spec: dict[str, Any], status: dict[str, Any]) -> Progress:
    wanted = int(spec.get("replicas", 1))
    updated, total = int(status.get("updatedReplicas", 0)), int(status.get("replicas", 0))
    available = int(status.get("availableReplicas", 0))
    # availableReplicas counts old pods as well: at most the updated ones can be new.
    ready = min(updated, max(0, available - (total - updated)))
    if updated < wanted:
        return Progress(ready, wanted, False, f"{updated} of {wanted} new pods created")
    if total > updated:
        return Progress(ready, wanted, False, f"{total - updated} old pods still going")
    if available < updated or updated > wanted:
        return Progress(ready, wanted, False, f"{available} of {wanted} pods available")
    return Progress(wanted, wanted, True, f"{wanted} of {wanted} pods ready")


def _stateful_set(spec: dict[str, Any], status: dict[str, Any]) -> Progress:
    wanted = int(spec.get("replicas", 1))
    ready, updated = int(status.get("readyReplicas", 0)), int(status.get("updatedReplicas", 0))
    on_newest = status.get("currentRevision") == status.get("updateRevision")
    # A partition keeps the pods below it on the old revision for good.
    partition = int(((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0))
    if ready < wanted:
        return Progress(min(ready, updated), wanted, False, f"{ready} of {wanted} pods ready")
    if not on_newest and (not partition or updated < wanted - partition):
        return Progress(min(ready, updated), wanted, False, f"{updated} of {wanted} pods updated")
    return Progress(wanted, wanted, True, f"{wanted} of {wanted} pods ready")


def _daemon_set(status: dict[str, Any]) -> Progress:
    wanted = int(status.get("desiredNumberScheduled", 0))
    updated, available = int(status.get("updatedNumberScheduled", 0)), int(status.get("numberAvailable", 0))
    if updated < wanted:
        return Progress(min(updated, available), wanted, False, f"{updated} of {wanted} pods updated")
    if available < wanted:
        return Progress(available, wanted, False, f"{available} of {wanted} pods available")
    return Progress(wanted, wanted, True, f"{wanted} of {wanted} pods ready")
