"""Gateways as raw objects: recognised in any namespace, with and without their labels."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.adapters.kubernetes.gateways import gateway_services, is_gateway
from sohistio.model.state import ObjectRef, ObservedService

EDGE = ObjectRef("Service", "edge", "web")
COMPONENT = "operator.istio.io/component"
ADDRESS = "service.beta.kubernetes.io/azure-load-balancer-ipv4"


def service(labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "edge", "name": "web", "labels": labels, "annotations": {ADDRESS: "10.0.0.1"}},
        "spec": {"type": "LoadBalancer", **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.2"}]}},
    }


@pytest.mark.parametrize(
    ("labels", "gateway"),
    [
        ({COMPONENT: "IngressGateways"}, True),
        ({COMPONENT: "EgressGateways"}, True),
        ({COMPONENT: "Pilot"}, False),
        ({"app": "web"}, False),
        (None, False),
    ],
)
def test_a_gateway_by_its_label(labels: dict[str, str] | None, gateway: bool) -> None:
    assert is_gateway(service(labels)) is gateway
    assert bool(gateway_services([service(labels)], ())) is gateway


def test_a_gateways_service_by_its_deployments_name() -> None:
    """An interrupted replacement may have left it without labels."""
    seen = gateway_services([service(loadBalancerIP="10.0.0.3")], [ObjectRef("Deployment", "edge", "web")])
    assert seen == (ObservedService(EDGE, "LoadBalancer", "10.0.0.1", ("10.0.0.2",), "10.0.0.3"),)
    assert not gateway_services([service()], [ObjectRef("Deployment", "istio-system", "web")])
