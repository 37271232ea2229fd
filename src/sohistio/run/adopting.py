"""Takes a mesh over that somebody else's tool put there, without touching a pod."""

from __future__ import annotations

from functools import partial

from sohistio.cluster.kube import Object
from sohistio.cluster.paths import path_of
from sohistio.run.installing import until
from sohistio.run.tools import Tools
from sohistio.run.waiting import Waiting
from sohistio.state import ObjectRef
from sohistio.steps import MoveFieldManagers, StopOperator

# istioctl installs with this manager (operator/pkg/install).
ISTIOCTL_MANAGER = "istio-operator"


def stop_operator(tools: Tools, waiting: Waiting, step: StopOperator) -> None:
    """Scale the controller to 0, wait until its pods are gone, then release the finalizers that it would act on."""
    for controller in step.controllers:
        tools.api.merge_patch(path_of(controller), {"spec": {"replicas": 0}})
    for controller in step.controllers:
        gone = partial(_has_no_pod, tools, path_of(controller))
        until(waiting, tools.component_seconds, gone, f"{controller} still runs")
    for operator in step.operators:
        tools.api.merge_patch(path_of(operator), {"metadata": {"finalizers": None}})


def _has_no_pod(tools: Tools, path: str) -> bool:
    item = tools.api.get(path)
    return item is None or not (item.get("status") or {}).get("replicas")


def move_field_managers(tools: Tools, step: MoveFieldManagers) -> None:
    """Rename old managers to istioctl's and merge what they own, so that the next apply owns it and may drop it."""
    for ref in step.objects:
        _move(tools, ref, frozenset(step.managers))


def _move(tools: Tools, ref: ObjectRef, managers: frozenset[str]) -> None:
    item = tools.api.get(path_of(ref))
    if item is None:
        return
    fields: list[Object] = item["metadata"].get("managedFields") or []
    moved = moved_managers(fields, managers)
    if moved != fields:
        metadata = {"managedFields": moved, "resourceVersion": item["metadata"]["resourceVersion"]}
        tools.api.merge_patch(path_of(ref), {"metadata": metadata})


def moved_managers(fields: list[Object], managers: frozenset[str]) -> list[Object]:
    """managedFields with the old managers' entries folded into one server-side-apply entry of istioctl's manager."""
    old = [entry for entry in fields if entry["manager"] in managers and not entry.get("subresource")]
    if not old:
        return fields
    kept = [entry for entry in fields if entry not in old]
    own = next((e for e in kept if e["manager"] == ISTIOCTL_MANAGER and e["operation"] == "Apply"), None)
    merged: Object = dict(own["fieldsV1"]) if own else {}
    for entry in old:
        merged = _union(merged, entry["fieldsV1"])
    base = own or old[0]
    entry = base | {"manager": ISTIOCTL_MANAGER, "operation": "Apply", "fieldsV1": merged}
    return [*(e for e in kept if e is not own), entry]


def _union(left: Object, right: Object) -> Object:
    result = dict(left)
    for key, value in right.items():
        result[key] = _union(result[key], value) if key in result else value
    return result
