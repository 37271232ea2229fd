"""Whether nodes come by themselves: AKS node auto-provisioning, which is Karpenter. Pure.

Sources: learn.microsoft.com, "Node auto-provisioning" (nodeProvisioningProfile.mode Auto); karpenter.sh, "NodePools"
(spec.limits bounds what all nodes of a pool have, status.resources is what they have).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sohistio.checks.preflight.quantities import quantity
from sohistio.model.managed_cluster import ManagedCluster

Object = Mapping[str, Any]
NODE_POOLS = "/apis/karpenter.sh/v1/nodepools"


def node_provisioning(managed: ManagedCluster | None, pools: Callable[[], Sequence[Object]]) -> str:
    """What to say of room that is missing; empty where no nodes come by themselves. Azure knows best.

    A NodePool at its limits gives none.
    """
    if managed is not None and not managed.provisions_nodes:
        return ""
    known = pools()
    if known and not any(_has_room(pool) for pool in known):
        return ""
    if managed is None and not known:
        return ""
    return "Nodes are provisioned as pods need them (node auto-provisioning), within its limits and your quota."


def _has_room(pool: Object) -> bool:
    limits = (pool.get("spec") or {}).get("limits") or {}
    used = (pool.get("status") or {}).get("resources") or {}
    return all(quantity(used.get(name, 0)) < quantity(limit) for name, limit in limits.items())
