"""The sandbox's nodes: objects that look like AKS's Standard_D4s_v3, with kwok as their kubelet."""

from __future__ import annotations

from typing import Any

from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError
from sohistio.sandbox.modules import KUBERNETES_VERSION, architecture

_POOL = "nodepool1"
_CAPACITY = {"cpu": "4", "memory": "16Gi", "pods": "110", "ephemeral-storage": "128Gi"}


def create_nodes(api: ClusterApi, count: int) -> None:
    """Create the nodes that are not there yet."""
    for number in range(count):
        try:
            api.create("/api/v1/nodes", node(number))
        except ClusterApiError as error:
            if error.status != 409:
                raise


def ready_nodes(api: ClusterApi) -> int:
    """How many nodes are Ready."""
    return sum(
        condition["type"] == "Ready" and condition["status"] == "True"
        for found in api.items("/api/v1/nodes")
        for condition in found["status"].get("conditions", [])
    )


def node(number: int) -> dict[str, Any]:
    """Node `number` of the pool, as AKS names and labels it."""
    name = f"aks-{_POOL}-10000000-vmss{number:06d}"
    labels = {
        "agentpool": _POOL,
        "kubernetes.azure.com/agentpool": _POOL,
        "kubernetes.azure.com/cluster": "MC_sohistio_sandbox",
        "kubernetes.azure.com/mode": "system",
        "kubernetes.azure.com/os-sku": "Ubuntu",
        "kubernetes.azure.com/role": "agent",
        "kubernetes.io/arch": architecture(),
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/role": "agent",
        "node.kubernetes.io/instance-type": "Standard_D4s_v3",
        "topology.kubernetes.io/region": "eastus",
        "topology.kubernetes.io/zone": f"eastus-{number % 3 + 1}",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "spec": {"providerID": f"azure:///sandbox/virtualMachineScaleSets/aks-{_POOL}/virtualMachines/{number}"},
        "status": {
            "capacity": _CAPACITY,
            "allocatable": _CAPACITY,
            "addresses": [
                {"type": "InternalIP", "address": f"10.224.1.{number + 4}"},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                "architecture": architecture(),
                "operatingSystem": "linux",
                "kubeletVersion": KUBERNETES_VERSION,
                "kubeProxyVersion": "",
                "osImage": "Ubuntu 24.04 LTS (sandbox)",
                "kernelVersion": "",
                "containerRuntimeVersion": "kwok://",
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
            },
        },
    }
