"""What becomes of replicas: no comparison of manifests shows it, as an autoscaler owns the field."""

from __future__ import annotations

from dataclasses import replace

from sohistio.model.desired import DesiredMesh
from sohistio.model.state import ClusterState
from sohistio.plan.changes import Action, Changes, FieldChange, ObjectChange

_REPLICAS = "spec.replicas"


def with_replicas(changes: Changes, desired: DesiredMesh, state: ClusterState) -> Changes:
    """The changes with what the plan does about replicas: Deployments at 0 are woken, dropped ones are kept."""
    kept = {ref for ref, _ in desired.dropped_replicas(state)}
    objects = [_without_replicas(change) if change.ref in kept else change for change in changes.objects]
    changes = replace(changes, objects=tuple(change for change in objects if change.fields or change.ref not in kept))
    scaled_by = {seen.ref: seen.scaled_by for seen in state.mesh_deployments}
    asleep = [
        ObjectChange(
            ref, Action.CHANGED, (FieldChange(_REPLICAS, 0, minimum, scaled_by.get(ref, "")),), component=ref.name
        )
        for ref, minimum in desired.asleep(state)
    ]
    return changes.merged(asleep)


def _without_replicas(change: ObjectChange) -> ObjectChange:
    return replace(change, fields=tuple(field for field in change.fields if field.path != _REPLICAS))
