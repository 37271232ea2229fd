"""Adapter: azure-mgmt-containerservice. The cluster as the resource manager has it, read as raw as it comes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sohistio.adapters.azure.cloud import Endpoints
from sohistio.adapters.azure.credential import PATIENCE, patient_retries, quiet
from sohistio.errors import RefusedError
from sohistio.model.managed_cluster import AksPlace, ClusterAccess, ManagedCluster, NodePool
from sohistio.system.plain_yaml import loaded

InOurWords = Callable[[], AbstractContextManager[None]]
# Names of the resource manager's API 2026-08-01 (azure-mgmt-containerservice, models ManagedClusterAppRoutingIstio,
# ManagedClusterIngressProfileGatewayConfiguration, ManagedClusterNodeProvisioningProfile).
_ROUTING = ("ingressProfile", "webAppRouting", "gatewayAPIImplementations", "appRoutingIstio", "mode")


def arm_client(credential: Any, place: AksPlace, where: Endpoints) -> Any:
    """A client of the resource manager."""
    quiet()
    from azure.mgmt.containerservice import ContainerServiceClient

    return ContainerServiceClient(
        credential,
        place.subscription,
        where.resource_manager,
        credential_scopes=[where.scope],
        retry_policy=patient_retries()(**PATIENCE),
        **PATIENCE,
    )


def read_cluster(client: Any, place: AksPlace, in_our_words: InOurWords) -> ManagedCluster:
    """The managed cluster. Raises RefusedError."""
    with in_our_words():
        raw: dict[str, Any] = client.managed_clusters.get(place.resource_group, place.name).as_dict()
    properties = raw.get("properties") or {}
    pools = [pool for pool in properties.get("agentPoolProfiles") or () if pool]
    hosts = (properties.get("fqdn"), properties.get("privateFQDN"))
    version = properties.get("currentKubernetesVersion") or properties.get("kubernetesVersion") or ""
    return ManagedCluster(
        id=str(raw.get("id") or ""),
        name=str(raw.get("name") or place.name),
        hosts=tuple(str(host) for host in hosts if host),
        kubernetes_version=str(version),
        power=str((properties.get("powerState") or {}).get("code") or ""),
        provisioning=str(properties.get("provisioningState") or ""),
        add_on=(properties.get("serviceMeshProfile") or {}).get("mode") == "Istio",
        application_routing=_at(properties, *_ROUTING) == "Enabled",
        gateway_api=_at(properties, "ingressProfile", "gatewayAPI", "installation") == "Standard",
        provisions_nodes=_at(properties, "nodeProvisioningProfile", "mode") == "Auto",
        location=str(raw.get("location") or ""),
        pools=tuple(_pool(pool) for pool in pools),
        subnets=tuple(dict.fromkeys(str(pool["vnetSubnetID"]) for pool in pools if pool.get("vnetSubnetID"))),
    )


def _at(properties: dict[str, Any], *keys: str) -> Any:
    """A value deep down; None where a part of the way is missing."""
    found: Any = properties
    for key in keys:
        found = (found or {}).get(key)
    return found


def _pool(raw: dict[str, Any]) -> NodePool:
    count = int(raw.get("count") or 0)
    scales = bool(raw.get("enableAutoScaling"))
    return NodePool(
        name=str(raw.get("name") or ""),
        size=str(raw.get("vmSize") or ""),
        count=count,
        least=int(raw.get("minCount") or 0) if scales else count,
        most=int(raw.get("maxCount") or 0) if scales else count,
        is_system=raw.get("mode") == "System",
        provisioning=str(raw.get("provisioningState") or ""),
        is_spot=raw.get("scaleSetPriority") == "Spot",
    )


def access_of(client: Any, place: AksPlace, in_our_words: InOurWords) -> ClusterAccess:
    """The API server's address and authority, from the user's kubeconfig; its login is not sohistio's and is not kept.

    Raises RefusedError.
    """
    with in_our_words():
        # It is a POST, and only reads.
        found = client.managed_clusters.list_cluster_user_credentials(
            place.resource_group, place.name, format="exec", retry_on_methods=["POST"]
        )
        raw = [bytes(item.value) for item in found.kubeconfigs or () if item.value]
    try:
        cluster = loaded(raw[0].decode())["clusters"][0]["cluster"]
        return ClusterAccess(str(cluster["server"]), str(cluster["certificate-authority-data"]))
    except (IndexError, KeyError, TypeError, ValueError):
        raise RefusedError(
            f"Azure gives no kubeconfig for the AKS cluster {place}",
            todo="See whether `az aks get-credentials` gives one; nothing was changed.",
        ) from None
