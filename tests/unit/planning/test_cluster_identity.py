"""Whether a cluster is the one that is meant and may be worked on, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sohistio.model.managed_cluster import ManagedCluster, NodePool
from sohistio.planning.cluster_identity import (
    ADD_ON,
    ENVIRONMENT,
    IDENTITY,
    RUNNING,
    cluster_faults,
    environment_faults,
)

HOST = "aks-qa-1.hcp.eastus.azmk8s.io"
SERVER = f"https://{HOST}:443"
HEALTHY = ManagedCluster(
    "id",
    "aks-qa",
    (HOST, f"p.privatelink.{HOST}"),
    kubernetes_version="1.35.4",
    power="Running",
    provisioning="Succeeded",
)


def pool(name: str, provisioning: str = "") -> NodePool:
    return NodePool(name, "Standard_D8s_v3", 3, 3, 3, provisioning=provisioning)


@pytest.mark.parametrize(
    ("managed", "server", "expected"),
    [
        (HEALTHY, SERVER, []),
        (HEALTHY, SERVER.upper().replace("HTTPS", "https"), []),
        (HEALTHY, f"https://p.privatelink.{HOST}", []),
        (HEALTHY, "https://aks-prod-1.hcp.eastus.azmk8s.io", [(IDENTITY, True)]),
        (HEALTHY, f"https://{HOST}.evil.example", [(IDENTITY, True)]),
        (replace(HEALTHY, hosts=()), SERVER, [(IDENTITY, True)]),
        (replace(HEALTHY, power="Stopped"), SERVER, [(RUNNING, True)]),
        (replace(HEALTHY, power="", provisioning=""), SERVER, []),
        *(
            (replace(HEALTHY, provisioning=word), SERVER, [(RUNNING, True)])
            for word in ("Creating", "Deleting", "Upgrading", "Starting", "Stopping", "RotatingClusterCertificates")
        ),
        *(
            (replace(HEALTHY, provisioning=word), SERVER, [(RUNNING, False)])
            for word in ("Failed", "Canceled", "Updating")
        ),
        *(
            (replace(HEALTHY, pools=(pool("system"), pool("apps", word))), SERVER, expected)
            for word, expected in [
                ("Succeeded", []),
                ("Updating", [(RUNNING, False)]),
                ("Failed", [(RUNNING, False)]),
                ("Upgrading", [(RUNNING, True)]),
                ("UpgradingNodeImageVersion", [(RUNNING, True)]),
                ("Deleting", [(RUNNING, True)]),
            ]
        ),
        (replace(HEALTHY, add_on=True), SERVER, [(ADD_ON, True)]),
        (
            replace(HEALTHY, add_on=True, power="Stopped", provisioning="Stopping"),
            "https://other",
            [(IDENTITY, True), (RUNNING, True), (RUNNING, True), (ADD_ON, True)],
        ),
    ],
)
def test_cluster_faults(managed: ManagedCluster, server: str, expected: list[tuple[str, bool]]) -> None:
    found = cluster_faults(managed, server)
    assert [(fault.rule, fault.blocks) for fault in found] == expected
    assert all(fault.message and fault.hint and "aks-qa" in fault.message for fault in found)


def test_both_are_named() -> None:
    (fault,) = cluster_faults(HEALTHY, "https://other.example.com:6443")
    assert "https://other.example.com:6443" in fault.message
    assert HOST in fault.message


def test_a_pool_at_work_is_named() -> None:
    (fault,) = cluster_faults(replace(HEALTHY, pools=(pool("system"), pool("apps", "Upgrading"))), SERVER)
    assert "node pool apps of the AKS cluster aks-qa is being changed by Azure: Upgrading" in fault.message


@pytest.mark.parametrize(("recorded", "wrong"), [(None, False), ("qa", False), ("prod", True), ("", True)])
def test_environment_faults(recorded: str | None, wrong: bool) -> None:
    found = environment_faults("qa", recorded)
    assert [fault.rule for fault in found] == ([ENVIRONMENT] if wrong else [])
