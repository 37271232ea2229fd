"""What is said of pods of the mesh that share a node or a zone."""

from __future__ import annotations

from typing import Any

import pytest

from observed import mesh
from sohistio.checks.preflight.check import Good, NotAsked
from sohistio.checks.preflight.spread import spread
from sohistio.model.fault import Fault

ISTIOD = mesh("istiod")


def node(name: str, zone: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone} if zone else {}}}


def pod(place: str, app: str = "istiod", **metadata: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "istio-system", "labels": {"app": app, "pod-template-hash": "1"}, **metadata},
        "spec": {"nodeName": place} if place else {},
        "status": {"phase": "Running" if place else "Pending"},
    }


ONE_ZONE = [node("a", "1"), node("b", "1"), node("c", "1")]
ZONES = [node("a", "1"), node("b", "2"), node("c", "3"), node("d", "1")]
GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("nodes", "pods", "kind", "said"),
    [
        pytest.param(ZONES, "abc", Good, "3 pods of istiod on 3 nodes in 3 zones", id="spread"),
        pytest.param(ZONES, "aab", Good, "3 pods of istiod on 2 nodes in 2 zones", id="two-share"),
        pytest.param(ZONES, "bbb", Fault, "all 3 pods of istiod are on the node b", id="one-node"),
        pytest.param(ZONES, "ada", Fault, "all 3 pods of istiod are in the zone 1", id="one-zone"),
        pytest.param(ONE_ZONE, "abc", Good, "3 pods of istiod on 3 nodes in 1 zone", id="a-cluster-of-one-zone"),
        pytest.param([node("a", "")], "aaa", Good, "3 pods of istiod on 1 node in 1 zone", id="a-cluster-of-one-node"),
        pytest.param(ZONES, "aa", NotAsked, "nothing of the mesh has 3 running pods", id="two-pods"),
    ],
)
def test_spread(nodes: list[dict[str, Any]], pods: str, kind: type, said: str) -> None:
    others = [pod("a", "web"), pod(""), pod("c", **GOING)]
    (found,) = spread([ISTIOD], [*map(pod, pods), *others], nodes)
    assert (type(found), found.reason if isinstance(found, NotAsked) else found.message) == (kind, said)
