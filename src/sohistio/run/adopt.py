"""Takes a mesh over that somebody else's tool put there, without touching a pod."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.foreign import OPERATOR_FINALIZER
from sohistio.adapters.kubernetes.paths import collection_path, path_of
from sohistio.errors import FailedError
from sohistio.model.state import ObjectRef
from sohistio.plan.adoption_steps import MoveFieldManagers, StopOperator
from sohistio.plan.ownership import LAST_APPLIED, moved
from sohistio.run.tools import Tools
from sohistio.run.wait import Patience, Waiting
from sohistio.system.parallel import side_by_side

# Somebody else writes to the object at the same time, again and again: a controller that nobody stopped.
_TRIES = 5


def stop_operator(tools: Tools, waiting: Waiting, step: StopOperator) -> None:
    """Scale the controller to 0, wait until its pods are gone, then release the finalizers that it would act on.

    In this order: a controller at work puts its finalizer back at once, and one that sees an IstioOperator deleted
    uninstalls the mesh.
    """
    for controller in step.controllers:
        tools.api.merge_patch(path_of(controller), {"spec": {"replicas": 0}})
    for controller in step.controllers:
        gone = partial(_has_no_pod, tools.api, controller)
        waiting.until(tools.component_seconds, gone, Patience(f"{controller} still runs"))
    for operator in step.operators:
        _until_written(tools.api, operator, _without_finalizer)


def _has_no_pod(api: KubeApi, controller: ObjectRef) -> bool:
    """No pod at all, one that is about to end included: it may still write."""
    item = api.get(path_of(controller))
    if item is None:
        return True
    labels = ",".join(f"{key}={value}" for key, value in item["spec"]["selector"].get("matchLabels", {}).items())
    pods = api.items(collection_path("Pod", controller.namespace), labels=labels, metadata_only=True)
    return not (item.get("status") or {}).get("replicas") and not pods


def _without_finalizer(item: Object) -> Object | None:
    finalizers: list[str] = item["metadata"].get("finalizers") or []
    if OPERATOR_FINALIZER not in finalizers:
        return None
    return {"finalizers": [name for name in finalizers if name != OPERATOR_FINALIZER]}


def move_field_managers(tools: Tools, step: MoveFieldManagers) -> None:
    """Give what the installers own to istioctl's manager, so that its next apply owns it and may drop it.

    kubectl's note of what it applied last goes too: it would bring the old values back. Nothing else changes.
    """
    change = partial(_with_moved_managers, managers=frozenset(step.managers))

    def move(ref: ObjectRef) -> None:
        _until_written(tools.api, ref, partial(change, ref.kind))

    side_by_side(move, step.objects)


def _with_moved_managers(kind: str, item: Object, managers: frozenset[str]) -> Object | None:
    metadata = item["metadata"]
    fields = metadata.get("managedFields") or []
    after = moved(kind, fields, managers)
    if after == fields:
        return None
    patch: Object = {"managedFields": after}
    if LAST_APPLIED in (metadata.get("annotations") or {}):
        patch["annotations"] = {LAST_APPLIED: None}
    return patch


def _until_written(api: KubeApi, ref: ObjectRef, change: Callable[[Object], Object | None]) -> None:
    """Patch an object's metadata, bound to the version it was read at. Raises FailedError, KubeError."""
    for _ in range(_TRIES):
        item = api.get(path_of(ref))
        metadata = change(item) if item is not None else None
        if item is None or metadata is None:
            return
        bound = metadata | {"resourceVersion": item["metadata"]["resourceVersion"]}
        try:
            api.merge_patch(path_of(ref), {"metadata": bound})
        except KubeError as error:
            if error.status != 409:
                raise
        else:
            return
    raise FailedError(
        f"{ref} changes faster than it can be taken over",
        todo="A controller that is not Istio's in-cluster operator writes to it: find and stop it, then run it again.",
    )
