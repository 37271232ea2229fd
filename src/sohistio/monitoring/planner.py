"""The phase of a plan that makes the cluster's monitoring what the environment declares. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from sohistio.model.monitoring import RANDOM_SECRETS, Part
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.model.words import counted
from sohistio.monitoring.compare import Comparison
from sohistio.monitoring.objects import Object
from sohistio.plan.changes import ref_of
from sohistio.plan.monitoring_steps import ApplyMonitoring, AwaitMonitoring, MakeSecrets, PruneMonitoring
from sohistio.plan.plan import Phase
from sohistio.plan.steps import Step

_HELD = {
    Part.PROMETHEUS: "all metrics",
    Part.ALERTMANAGER: "silences",
    Part.GRAFANA: "what people made in it",
    Part.JAEGER: "all traces",
}
"""What a part loses with its data."""


def monitoring_phase(comparison: Comparison, environment: str, paths: Mapping[ObjectRef, str]) -> tuple[Phase, ...]:
    """What is missing, what is different, and what is no longer declared; nothing where all is in place."""
    steps: list[Step] = []
    if secrets := comparison.secrets:
        names = ", ".join(ref.name for ref in secrets)
        summary = f"make {names} with a random text, shown nowhere"
        keys = tuple(RANDOM_SECRETS[ref] for ref in secrets)
        steps.append(MakeSecrets("monitoring/secrets", summary, environment, secrets, keys))
    if objects := comparison.to_apply:
        summary = f"apply {counted(len(objects), 'object')} of monitoring"
        documents = tuple(json.dumps(obj, sort_keys=True) for obj in objects)
        effects = tuple(_lost_by_applying(comparison))
        steps.append(ApplyMonitoring("monitoring/apply", summary, documents, effects))
    if surplus := comparison.surplus:
        summary = f"delete {counted(len(surplus), 'object')} that monitoring no longer declares"
        effects = tuple(_lost_by_pruning(comparison))
        listed = tuple(paths[ref] for ref in surplus)
        steps.append(PruneMonitoring("monitoring/prune", summary, environment, surplus, listed, effects))
    started = tuple(ref_of(obj) for obj in comparison.to_apply if obj["kind"] == "Deployment")
    if started:
        names = ", ".join(ref.name for ref in started)
        steps.append(AwaitMonitoring("monitoring/ready", f"wait until {names} run", started))
    return (Phase("monitoring", tuple(steps)),) if steps else ()


def _lost_by_applying(comparison: Comparison) -> Iterator[str]:
    """A pod that is made anew loses its emptyDir."""
    for obj in comparison.to_apply:
        ref = ref_of(obj)
        if obj["kind"] != "Deployment" or ref not in comparison.live or ref in comparison.foreign:
            continue
        changed = [field.path for change in comparison.changes if change.ref == ref for field in change.fields]
        if not any(path.startswith(("spec.template", "spec.replicas")) for path in changed):
            continue
        part = Part(ref.name)
        if part in _HELD and _keeps_in_memory(obj, part):
            yield f"restarts {part}, which loses {_HELD[part]} (no disk of its own)"


def _keeps_in_memory(deployment: Object, part: Part) -> bool:
    """Whether what it has is gone with its pod: Jaeger's always is."""
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    return part is Part.JAEGER or not any("persistentVolumeClaim" in volume for volume in volumes)


def _lost_by_pruning(comparison: Comparison) -> Iterator[str]:
    for part, held in _HELD.items():
        disk = ObjectRef("PersistentVolumeClaim", ISTIO_NAMESPACE, part.value)
        if ObjectRef("Deployment", ISTIO_NAMESPACE, part.value) in comparison.surplus:
            size = _size(comparison, disk) if disk in comparison.surplus else ""
            yield f"deletes {part} with {held}{f' on its disk of {size}' if size else ''}"
        elif disk in comparison.surplus:
            yield f"deletes the disk of {part} ({_size(comparison, disk)}) with {held}"


def _size(comparison: Comparison, disk: ObjectRef) -> str:
    spec = comparison.live[disk].get("spec") or {}
    return str(((spec.get("resources") or {}).get("requests") or {}).get("storage", "unknown size"))
