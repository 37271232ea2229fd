"""Checks of the nodes: the pools the environment is meant to have, and room for istiod and the gateways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.checks.preflight.provisioning import node_provisioning
from sohistio.checks.preflight.quantities import Amount, pod_request, quantity, tolerates
from sohistio.checks.preflight.rollouts import Rollout, rollouts, short_of
from sohistio.environments.cluster import Nodes
from sohistio.model.desired import DesiredMesh
from sohistio.model.fault import Fault, Severity
from sohistio.model.managed_cluster import NodePool
from sohistio.model.state import ObjectRef

Object = Mapping[str, Any]
# By node: what is left, and for how many pods.
Free = dict[str, tuple[Amount, int]]
_SIZE = "node.kubernetes.io/instance-type"
_ENDED = ("Succeeded", "Failed")


def node_pools(context: Context) -> Iterator[Verdict]:
    """As many nodes of the size as the environment is meant to have."""
    meant = context.environment.cluster.nodes
    if meant is None:
        yield NotAsked("the environment does not say what nodes it is meant to have (cluster.nodes)")
        return
    managed = context.managed_cluster
    yield pools_against(meant, managed.pools) if managed and managed.pools else nodes_against(meant, context.nodes())


def pools_against(meant: Nodes, pools: Sequence[NodePool]) -> Verdict:
    """As Azure tells of the pools; one for AKS's own pods counts only where there is no other."""
    users = [pool for pool in pools if not pool.is_system] or pools
    of_size = [pool for pool in users if pool.size == meant.size]
    least, most = sum(pool.least for pool in of_size), sum(pool.most for pool in of_size)
    found = ", ".join(f"{pool.name}: {pool.least} to {pool.most} × {pool.size}" for pool in pools)
    if (least, most) == (meant.min, meant.max):
        return Good(found)
    return Fault(f"the pools are {found}; meant are {_meant(meant)}")


def nodes_against(meant: Nodes, nodes: Sequence[Object]) -> Verdict:
    """As the nodes' own labels tell."""
    sizes = Counter((node["metadata"].get("labels") or {}).get(_SIZE, "of unknown size") for node in nodes)
    found = ", ".join(f"{count} × {size}" for size, count in sorted(sizes.items())) or "no nodes"
    if meant.min <= sizes[meant.size] <= meant.max:
        return Good(found)
    return Fault(f"the cluster has {found}; meant are {_meant(meant)}")


def _meant(meant: Nodes) -> str:
    return f"{meant.min} to {meant.max} × {meant.size}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A Deployment of the manifest: its least number of pods, their template's spec, and its rollout if it has one."""

    ref: ObjectRef
    pods: int
    spec: Object
    rollout: Rollout | None = None


def capacity(context: Context) -> Iterator[Verdict]:
    """The pods of istiod and the gateways have room: their requests against what is allocatable and not taken."""
    wanted = wanted_of(context.manifest, context.mesh, rollouts(context.manifest, context.state, context.planned.plan))
    meant = context.environment.cluster.nodes if context.stops.environment is None else None
    nodes = context.nodes()
    managed = context.managed_cluster
    may_grow = growth(managed.pools if managed else (), meant, nodes)
    more = f"{may_grow}: its autoscaler may add some." if may_grow else ""
    more = node_provisioning(managed, context.provisioned_pools) or more
    for verdict in room(wanted, nodes, context.pods()):
        if isinstance(verdict, Fault) and more:
            yield Fault(verdict.message, more, Severity.WARNING)
        else:
            yield verdict


def growth(pools: Sequence[NodePool], meant: Nodes | None, nodes: Sequence[Object]) -> str:
    """How many nodes there may be more, in words; empty where there is no room to grow. Azure knows best."""
    users = [pool for pool in pools if not pool.is_system] or list(pools)
    if users:
        count, most = sum(pool.count for pool in users), sum(pool.most for pool in users)
        return f"The pools have {count} of at most {most} nodes" if count < most else ""
    if meant is None:
        return ""
    count = sum((node["metadata"].get("labels") or {}).get(_SIZE) == meant.size for node in nodes)
    return f"The cluster has {count} of at most {meant.max} nodes of {meant.size}" if count < meant.max else ""


def wanted_of(manifest: Sequence[Object], mesh: DesiredMesh, rolling: Mapping[ObjectRef, Rollout]) -> list[Wanted]:
    """istiod and the gateways with their least number of pods, those that are off left out."""
    templates = templates_of(manifest)
    return [
        Wanted(item.ref, item.minimum, templates[item.ref]["spec"], rolling.get(item.ref))
        for item in mesh.deployments
        if not item.is_off and item.ref in templates
    ]


def templates_of(manifest: Sequence[Object]) -> dict[ObjectRef, Object]:
    """The pod templates of a manifest's Deployments."""
    return {
        ObjectRef("Deployment", item["metadata"]["namespace"], item["metadata"]["name"]): item["spec"]["template"]
        for item in manifest
        if item["kind"] == "Deployment"
    }


def room(wanted: Sequence[Wanted], nodes: Sequence[Object], pods: Sequence[Object]) -> Iterator[Verdict]:
    """Every wanted pod is put on the first node that takes it, the largest pods first; then those of a rollout.

    What the mesh's own pods take now counts as free. Not looked at: affinity, spread, ports, quotas.
    """
    free = free_on(nodes, pods, {item.ref for item in wanted})
    faults: list[Fault] = []
    for item in sorted(wanted, key=lambda item: pod_request(item.spec).memory, reverse=True):
        request = pod_request(item.spec)
        placed = sum(put_on(item.spec, request, nodes, free) for _ in range(item.pods))
        if placed < item.pods:
            faults.append(
                Fault(
                    f"{item.ref.name}: room for {placed} of {item.pods} pods of {request} each, on {len(nodes)} nodes"
                )
            )
    faults = faults or list(_surges(wanted, nodes, free_on(nodes, pods, set())))
    yield from faults
    if not wanted:
        yield NotAsked("no pods are wanted")
    elif not faults:
        names = ", ".join(f"{item.pods} × {item.ref.name}" for item in wanted)
        left = sum((amount for amount, _ in free.values()), Amount())
        yield Good(f"{names} fit; {left} stay free on {len(nodes)} nodes")


def _surges(wanted: Sequence[Wanted], nodes: Sequence[Object], free: Free) -> Iterator[Fault]:
    """The pods that a rollout has on top of all that run. istiod rolls first, then one gateway after the other."""
    for item in wanted:
        if item.rollout is None:
            continue
        left, request = dict(free), pod_request(item.spec)
        placed = sum(put_on(item.spec, request, nodes, left) for _ in range(item.rollout.surge))
        if placed < item.rollout.surge:
            yield short_of(item.ref, item.rollout, placed, request)


def free_on(nodes: Sequence[Object], pods: Sequence[Object], mesh: set[ObjectRef]) -> Free:
    """Only nodes that take pods at all."""
    left = {
        node["metadata"]["name"]: (
            Amount.of(node["status"].get("allocatable")),
            int(quantity((node["status"].get("allocatable") or {}).get("pods", 0))),
        )
        for node in nodes
        if not node["spec"].get("unschedulable") and _is_ready(node)
    }
    for pod in pods:
        place = pod["spec"].get("nodeName", "")
        if place in left and pod.get("status", {}).get("phase") not in _ENDED and not _is_meshs(pod, mesh):
            amount, number = left[place]
            left[place] = (amount - pod_request(pod["spec"]), number - 1)
    return left


def _is_ready(node: Object) -> bool:
    conditions = node["status"].get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _is_meshs(pod: Object, mesh: set[ObjectRef]) -> bool:
    """A pod of a Deployment is named after it, its ReplicaSet and itself."""
    metadata = pod["metadata"]
    owner = metadata["name"].rsplit("-", 2)[0]
    return ObjectRef("Deployment", metadata["namespace"], owner) in mesh


def put_on(spec: Object, request: Amount, nodes: Sequence[Object], free: Free) -> bool:
    for node in nodes:
        name, labels = node["metadata"]["name"], node["metadata"].get("labels") or {}
        if name not in free or not tolerates(spec, node["spec"].get("taints") or ()):
            continue
        if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
            continue
        amount, number = free[name]
        if number > 0 and amount.holds(request):
            free[name] = (amount - request, number - 1)
            return True
    return False
