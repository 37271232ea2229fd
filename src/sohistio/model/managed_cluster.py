"""The AKS cluster: where it is to be found, and what Azure tells of it. Plain data, read by azure/."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodePool:
    """One agent pool. Without autoscaling `least` and `most` are its count. `provisioning` is Azure's own word.

    `is_spot` where Azure may take its nodes away.
    """

    name: str
    size: str
    count: int
    least: int
    most: int
    is_system: bool = False
    provisioning: str = ""
    is_spot: bool = False


@dataclass(frozen=True, slots=True)
class ManagedCluster:
    """`hosts` are the names its API server answers to, public and private; `add_on` where the managed Istio is on,
    `application_routing` where Istio serves the Gateway API for application routing, `gateway_api` where AKS installs
    the Gateway API's CRDs, `provisions_nodes` where AKS adds nodes as pods need them (Karpenter).

    `power` and `provisioning` are Azure's own words, such as Running, Stopped, Succeeded, Upgrading. `subnets` are the
    resource ids of its pools' subnets, `location` is the region's name.
    """

    id: str
    name: str
    hosts: tuple[str, ...]
    kubernetes_version: str
    power: str
    provisioning: str
    add_on: bool = False
    application_routing: bool = False
    gateway_api: bool = False
    provisions_nodes: bool = False
    location: str = ""
    pools: tuple[NodePool, ...] = ()
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AzureCloud:
    """A cloud that is not the public one. `resource_manager` is a URL, `authority` a host or URL."""

    authority: str
    resource_manager: str
    instance_discovery: bool = True


@dataclass(frozen=True, slots=True)
class AksPlace:
    """Where an AKS cluster is. `tenant` matters to logins that have several."""

    subscription: str
    resource_group: str
    name: str
    tenant: str | None = None
    cloud: AzureCloud | None = None

    def __str__(self) -> str:
        return f"{self.name} (resource group {self.resource_group}, subscription {self.subscription})"


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """How a cluster's API server is reached: its URL, and the certificate authority as base64 of PEM."""

    server: str
    authority_data: str
