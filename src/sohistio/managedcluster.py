"""The AKS cluster as Azure tells of it: plain data, read by azure/, looked at by checks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodePool:
    """One agent pool. Without autoscaling `least` and `most` are its count."""

    name: str
    size: str
    count: int
    least: int
    most: int
    is_system: bool = False


@dataclass(frozen=True, slots=True)
class ManagedCluster:
    """`hosts` are the names its API server answers to, public and private; `add_on` where the managed Istio is on.

    `power` and `provisioning` are Azure's own words, such as Running, Stopped, Succeeded, Upgrading. `subnets` are the
    resource ids of its pools' subnets.
    """

    id: str
    name: str
    hosts: tuple[str, ...]
    kubernetes_version: str
    power: str
    provisioning: str
    add_on: bool = False
    pools: tuple[NodePool, ...] = ()
    subnets: tuple[str, ...] = ()
