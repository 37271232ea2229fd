"""Two environments' files compared: what must differ between two regions is left out, all else is reported."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.model.sync import Substitution, SyncRules
from sohistio.sync.files import environment_differences, installed_difference, operator_differences

NAMES = ("prod", "dr")
NONE = SyncRules()
ENVIRONMENT: dict[str, Any] = {
    "name": "prod",
    "protected": True,
    "ingressAddress": "10.20.20.221",
    "istio": {"version": "1.31.1", "hub": "dtr.metlife.com/istio", "pullSecret": "jfrogauth"},
    "cluster": {"context": "prod"},
    "applicationNamespaces": ["claims", "billing"],
    "timeouts": {"component": "5m"},
}
_AZURE = "service.beta.kubernetes.io/azure-"


def operator(k8s: dict[str, Any] | None = None, *, mesh: dict[str, Any] | None = None, **shared: Any) -> dict[str, Any]:
    gateway = {"name": "istio-ingressgateway", "enabled": True} | ({"k8s": k8s} if k8s else {})
    return {
        "kind": "IstioOperator",
        "spec": {
            "hub": "dtr.metlife.com/istio",
            "tag": "1.31.1",
            "components": {"ingressGateways": [gateway]},
            "meshConfig": mesh or {},
            "values": {"global": shared} if shared else {},
        },
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"name": "dr", "standbyOf": "prod", "cluster": {"sandbox": "dr"}, "description": "x"}, []),
        ({"ingressAddress": None, "timeouts": {}, "protected": False, "sync": {"exclude": []}}, []),
        ({"istio": ENVIRONMENT["istio"] | {"pullSecret": "other"}}, []),
        ({"applicationNamespaces": ["billing", "claims"]}, []),
        ({"applicationNamespaces": ["billing"]}, ["applicationNamespaces"]),
        ({"istio": ENVIRONMENT["istio"] | {"version": "1.30.5"}}, ["istio.version"]),
        ({"istio": ENVIRONMENT["istio"] | {"hub": "elsewhere"}}, ["istio.hub"]),
    ],
)
def test_environment_files(changed: dict[str, Any], expected: list[str]) -> None:
    found = list(environment_differences(ENVIRONMENT, ENVIRONMENT | changed, NONE, NAMES))
    assert [item.name for item in found] == expected
    assert all(item.counts and "environments/dr/environment.yaml" in item.todo for item in found)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (operator(), operator(), []),
        (
            operator({"serviceAnnotations": {f"{_AZURE}load-balancer-ipv4": "1.2.3.4"}}),
            operator(),
            [],
        ),
        (operator({"serviceAnnotations": {f"{_AZURE}load-balancer-internal-subnet": "a"}}), operator(), []),
        (
            operator(imagePullSecrets=["a"]),
            operator(network="dr", multiCluster={"clusterName": "dr"}),
            [],
        ),
        (
            operator({"serviceAnnotations": {f"{_AZURE}load-balancer-internal": "true"}}),
            operator(),
            ["k8s.serviceAnnotations"],
        ),
        (operator(mesh={"trustDomain": "prod.example.com"}), operator(mesh={"trustDomain": "dr.example.com"}), []),
        (operator(mesh={"accessLogFile": "/dev/stdout"}), operator(), ["accessLogFile"]),
    ],
)
def test_operators(source: dict[str, Any], target: dict[str, Any], expected: list[str]) -> None:
    rules = SyncRules((Substitution("prod.example.com", "dr.example.com"),))
    found = list(operator_differences(source, target, rules, NAMES))
    assert [any(name in item.name for item in found) for name in expected] == [True] * len(expected)
    assert len(found) == len(expected)


def test_installed_versions() -> None:
    assert list(installed_difference("1.31.1", "1.31.1", NAMES)) == []
    (found,) = installed_difference("1.31.1", "", NAMES)
    assert found.what == "prod runs Istio 1.31.1, dr has none"
    assert found.counts
