"""How many more nodes pods without room would need, of which pool. Pure: a node that is there stands for a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.checks.preflight.capacity import Free, Wanted, free_on, put_on
from sohistio.checks.preflight.quantities import Amount, pod_request, quantity
from sohistio.model.managed_cluster import NodePool

Object = Mapping[str, Any]
# Both are AKS's; the first is the older one.
_POOL_LABELS = ("agentpool", "kubernetes.azure.com/agentpool")


@dataclass(frozen=True, slots=True)
class MoreNodes:
    """`vcpus` of all of them, None where the pool's node does not say."""

    pool: NodePool
    nodes: int
    vcpus: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What is missing by pool; `unknown` says why it is not known for some pods, empty where it can."""

    pools: tuple[MoreNodes, ...]
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Growth:
    """The pods that have no room (their specs), and the cluster's nodes and pods."""

    missing: tuple[Object, ...]
    nodes: Sequence[Object]
    pods: Sequence[Object]

    def by_pool(self, pools: Sequence[NodePool]) -> Found:
        """New nodes, one by one, each of the first pool that takes the pod; pools that may still grow come first.

        Not of spot pools, whose nodes may be taken away, nor of those for AKS's own pods where there are others.
        """
        users = [pool for pool in pools if not pool.is_system] or list(pools)
        usable = sorted((pool for pool in users if not pool.is_spot), key=lambda pool: pool.count >= pool.most)
        models = {pool.name: found for pool in usable if (found := self._model(pool.name)) is not None}
        added: list[tuple[NodePool, Object]] = []
        free: Free = {}
        for spec in self.missing:
            if put_on(spec, pod_request(spec), [node for _, node in added], free):
                continue
            for pool in sorted(usable, key=lambda pool: _count(added, pool) >= pool.most - pool.count):
                if pool.name not in models:
                    continue
                node, room = models[pool.name]
                new: Object = {**node, "metadata": {**node["metadata"], "name": f"new-{len(added)}"}}
                tried: Free = {f"new-{len(added)}": room}
                if put_on(spec, pod_request(spec), [new], tried):
                    added.append((pool, new))
                    free |= tried
                    break
            else:
                names = ", ".join(pool.name for pool in usable if pool.name not in models)
                why = f"no node of {names} is there to go by" if names else "no pool's node takes the pods"
                return Found(_counted(added), why)
        return Found(_counted(added))

    def _model(self, name: str) -> tuple[Object, tuple[Amount, int]] | None:
        """A node of the pool, and what a new one like it has left: its DaemonSets' pods come with it."""
        for node in self.nodes:
            labels = node["metadata"].get("labels") or {}
            if name not in [labels.get(label) for label in _POOL_LABELS]:
                continue
            place = node["metadata"]["name"]
            always = [pod for pod in self.pods if pod["spec"].get("nodeName") == place and _is_daemon(pod)]
            if place in (room := free_on([node], always, set())):
                return node, room[place]
        return None


def growth(wanted: Sequence[Wanted], nodes: Sequence[Object], pods: Sequence[Object]) -> Growth:
    """What of the wanted pods finds no room now, the largest first."""
    free = free_on(nodes, pods, {item.ref for item in wanted})
    missing = [
        item.spec
        for item in sorted(wanted, key=lambda item: pod_request(item.spec).memory, reverse=True)
        for _ in range(item.pods)
        if not put_on(item.spec, pod_request(item.spec), nodes, free)
    ]
    return Growth(tuple(missing), nodes, pods)


def _count(added: Sequence[tuple[NodePool, Object]], pool: NodePool) -> int:
    return sum(of is pool for of, _ in added)


def _counted(added: Sequence[tuple[NodePool, Object]]) -> tuple[MoreNodes, ...]:
    found = []
    for pool in dict.fromkeys(pool for pool, _ in added):
        nodes = [node for of, node in added if of is pool]
        vcpus = int(quantity((nodes[0]["status"].get("capacity") or {}).get("cpu", 0)))
        found.append(MoreNodes(pool, len(nodes), vcpus * len(nodes) or None))
    return tuple(found)


def _is_daemon(pod: Object) -> bool:
    return any(owner.get("kind") == "DaemonSet" for owner in pod["metadata"].get("ownerReferences") or ())
