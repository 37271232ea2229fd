"""Whether one node, or one zone, can take all pods of istiod or of a gateway away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.fault import Fault
from sohistio.model.state import MeshDeployment
from sohistio.model.words import counted

Object = Mapping[str, Any]
_ZONE = "topology.kubernetes.io/zone"
_FEWEST = 3
"""Of fewer replicas nobody expects that they outlive a zone."""


def mesh_spread(context: Context) -> Iterator[Verdict]:
    """Each Deployment of the mesh that has three running pods or more."""
    yield from spread(context.state.mesh_deployments, context.pods(), context.nodes())


def spread(deployments: Sequence[MeshDeployment], pods: Sequence[Object], nodes: Sequence[Object]) -> Iterator[Verdict]:
    """One verdict a Deployment: of pods that share what the cluster has several of."""
    zones = {node["metadata"]["name"]: (node["metadata"].get("labels") or {}).get(_ZONE, "") for node in nodes}
    looked_at = False
    for seen in deployments:
        placed = [pod["spec"]["nodeName"] for pod in pods if _is_placed(seen, pod)]
        if len(placed) < _FEWEST:
            continue
        looked_at = True
        in_zones = {zones.get(name, "") for name in placed}
        if len(set(placed)) == 1 and len(zones) > 1:
            yield Fault(f"all {len(placed)} pods of {seen.ref.short} are on the node {placed[0]}")
        elif len(in_zones) == 1 and len(set(zones.values())) > 1:
            yield Fault(f"all {len(placed)} pods of {seen.ref.short} are in the zone {in_zones.pop() or '(none)'}")
        else:
            where = f"{counted(len(set(placed)), 'node')} in {counted(len(in_zones), 'zone')}"
            yield Good(f"{len(placed)} pods of {seen.ref.short} on {where}")
    if not looked_at:
        yield NotAsked(f"nothing of the mesh has {_FEWEST} running pods")


def is_pod_of(seen: MeshDeployment, pod: Object) -> bool:
    """Whether a raw pod is the Deployment's, by its namespace and labels."""
    metadata, labels = pod["metadata"], pod["metadata"].get("labels") or {}
    here = metadata["namespace"] == seen.ref.namespace
    return here and bool(seen.pod_labels) and seen.pod_labels.items() <= labels.items()


def _is_placed(seen: MeshDeployment, pod: Object) -> bool:
    return (
        is_pod_of(seen, pod)
        and "deletionTimestamp" not in pod["metadata"]
        and bool(pod["spec"].get("nodeName"))
        and (pod.get("status") or {}).get("phase") == "Running"
    )
