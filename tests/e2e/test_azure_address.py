"""Whether an address of the pools' virtual network is free, as Azure answers."""

from __future__ import annotations

import pytest

from aks import PRINCIPAL, Aks, properties
from azure_server import arm_error
from sandboxes import SUBSCRIPTION
from sohistio.adapters.azure.account import AksCluster
from sohistio.model.auth import Auth
from sohistio.model.managed_cluster import AksPlace, AzureCloud

pytestmark = pytest.mark.e2e

FREE, TAKEN = "10.20.20.188", "10.20.20.4"


@pytest.fixture
def cluster(aks: Aks, monkeypatch: pytest.MonkeyPatch) -> AksCluster:
    for name, value in PRINCIPAL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(aks.azure.authority_file))
    aks.azure.free_addresses = {FREE}
    cloud = AzureCloud(aks.azure.url, aks.azure.url, instance_discovery=False)
    return AksCluster(AksPlace(SUBSCRIPTION, "rg-aks-qa", "aks-qa", cloud=cloud), Auth.ENVIRONMENT, lambda _: None)


def test_free_and_taken(aks: Aks, cluster: AksCluster) -> None:
    assert cluster.address_is_free(FREE) is True
    assert cluster.address_is_free(TAKEN) is False
    asked = [path for kind, path in aks.azure.asked if kind == "address"]
    network = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v"
    assert asked == [f"{network}/CheckIPAddressAvailability"] * 2, "one network, however many pools"


def test_what_cannot_be_known(aks: Aks, cluster: AksCluster) -> None:
    aks.azure.instead["address"] = [arm_error(403, "AuthorizationFailed", "no right")]
    assert cluster.address_is_free(FREE) is None


def test_a_network_that_azure_made_itself(aks: Aks, cluster: AksCluster) -> None:
    aks.azure.properties = properties(agentPoolProfiles=[{"name": "system", "count": 1, "vmSize": "Standard_D4s_v3"}])
    assert cluster.address_is_free(FREE) is None


def test_the_pools(cluster: AksCluster) -> None:
    system, apps = cluster.managed.pools
    assert (system.count, system.least, system.most, system.is_system) == (3, 3, 3, True)
    assert (apps.count, apps.least, apps.most, apps.is_system, apps.size) == (6, 5, 10, False, "Standard_D8s_v3")
    assert cluster.managed.kubernetes_version == "1.35.4"
