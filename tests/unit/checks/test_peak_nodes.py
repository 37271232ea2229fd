"""Nodes that the gateways' maximum lacks: how many of which pool, and whether Azure gives them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sides import INGRESS
from sohistio.checks.node_growth import Growth, growth
from sohistio.checks.peak import verdicts_of
from sohistio.checks.preflight.capacity import Wanted
from sohistio.checks.preflight.check import Good, NotAsked
from sohistio.model.fault import Fault, Severity
from sohistio.model.managed_cluster import ManagedCluster, NodePool
from sohistio.model.vcpu_quota import Usage, family_of, left_of

D16 = "Standard_D16s_v3"
APPS = NodePool("apps", D16, 1, 1, 20)
SYSTEM = NodePool("system", "Standard_D4s_v3", 1, 1, 9, is_system=True)
CLUSTER = ManagedCluster("id", "aks-dr", (), "1.35.4", "Running", "Succeeded", pools=(SYSTEM, APPS))
PLENTY = {"cores": Usage(0, 1000), "standarddsv3family": Usage(0, 1000)}


def node(name: str, pool: str, cpu: int, **spec: Any) -> dict[str, Any]:
    amount = {"cpu": str(cpu), "memory": "64Gi", "pods": "30"}
    return {
        "metadata": {"name": name, "labels": {"agentpool": pool}},
        "spec": spec,
        "status": {
            "capacity": amount,
            "allocatable": amount,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def pod(name: str, place: str, cpu: str, **metadata: Any) -> dict[str, Any]:
    container = {"resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}
    return {
        "metadata": {"name": name, "namespace": "x"} | metadata,
        "spec": {"nodeName": place, "containers": [container]},
    }


NODES = [node("apps-1", "apps", 16), node("system-1", "system", 4, taints=[{"key": "s", "effect": "NoSchedule"}])]
# Its DaemonSet's pod comes with each new node, what else is on it does not.
PODS = [
    pod("agent", "apps-1", "1", ownerReferences=[{"kind": "DaemonSet"}]),
    pod("app", "apps-1", "14"),
]


def missing(count: int, cpu: str = "6") -> Growth:
    spec = {"containers": [{"resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}]}
    return growth([Wanted(INGRESS, count, spec)], NODES, PODS)


def test_new_nodes_have_what_their_daemon_sets_leave() -> None:
    found = missing(4).by_pool(CLUSTER.pools)
    assert [(item.pool.name, item.nodes, item.vcpus) for item in found.pools] == [("apps", 2, 32)]
    assert missing(0).by_pool(CLUSTER.pools).pools == ()


@pytest.mark.parametrize(
    ("pools", "unknown"),
    [
        pytest.param((NodePool("other", D16, 0, 0, 5),), "no node of other is there to go by", id="an-empty-pool"),
        pytest.param((SYSTEM,), "no pool's node takes the pods", id="tainted"),
        pytest.param((replace(APPS, is_spot=True),), "no pool's node takes the pods", id="spot"),
    ],
)
def test_what_is_not_known_is_not_counted(pools: tuple[NodePool, ...], unknown: str) -> None:
    found = missing(4).by_pool(pools)
    assert (found.pools, found.unknown) == ((), unknown)


def test_a_pod_that_no_node_of_the_pool_holds() -> None:
    assert missing(1, "17").by_pool(CLUSTER.pools).unknown == "no pool's node takes the pods"


NEEDS = "at the gateways' maximum it needs 2 more D16s_v3 (32 vCPU)"


@pytest.mark.parametrize(
    ("pool", "usages", "why", "expected"),
    [
        pytest.param(
            APPS, PLENTY, "", [Good(f"{NEEDS}: pool apps has 1 of at most 20 nodes, quota has 1000 left")], id="enough"
        ),
        pytest.param(
            APPS,
            PLENTY | {"standarddsv3family": Usage(80, 100)},
            "",
            [f"{NEEDS}, quota has 20 left"],
            id="family",
        ),
        pytest.param(APPS, PLENTY | {"cores": Usage(990, 1000)}, "", [f"{NEEDS}, quota has 10 left"], id="region"),
        pytest.param(
            replace(APPS, most=2), {}, "", [f"{NEEDS}, pool apps has 1 of at most 2 nodes", "no usage"], id="pool"
        ),
        pytest.param(APPS, None, "Azure forbids it", ["quota is not asked: Azure forbids it"], id="forbidden"),
        pytest.param(APPS, {"cores": Usage(0, 9)}, "", ["no usage is named as Standard_D16s_v3"], id="no-family"),
    ],
)
def test_what_azure_gives(
    pool: NodePool, usages: dict[str, Usage] | None, why: str, expected: list[Good | str]
) -> None:
    found = list(verdicts_of(missing(4), replace(CLUSTER, pools=(SYSTEM, pool)), usages, why))
    assert len(found) == len(expected)
    for verdict, wanted in zip(found, expected, strict=True):
        if isinstance(wanted, Good):
            assert verdict == wanted
        elif isinstance(verdict, NotAsked):
            assert wanted in verdict.reason
        else:
            assert isinstance(verdict, Fault)
            assert (wanted, verdict.severity) == (verdict.message, Severity.WARNING)


def test_nodes_that_aks_makes_as_it_likes() -> None:
    (verdict,) = verdicts_of(missing(4), replace(CLUSTER, provisions_nodes=True), PLENTY, "")
    assert isinstance(verdict, NotAsked)


@pytest.mark.parametrize(
    ("size", "family"),
    [
        (D16, "standarddsv3family"),
        ("Standard_D16ads_v5", "standarddadsv5family"),
        ("Standard_DS3_v2", "standarddsv2family"),
        ("Standard_F16s_v2", "standardfsv2family"),
        ("Standard_E16-8s_v3", ""),
        ("Basic_A1", ""),
    ],
)
def test_families(size: str, family: str) -> None:
    assert family_of(size) == family


def test_what_other_pools_need_is_spoken_for() -> None:
    usages = {"cores": Usage(0, 100), "standarddsv3family": Usage(0, 60), "standardesv3family": Usage(0, 60)}
    assert left_of(usages, D16, {"standardesv3family": 32}) == 60
    assert left_of(usages, D16, {"standardesv3family": 60}) == 40
    assert left_of(usages, D16, {"standarddsv3family": 32}) == 28
