"""Where load balancers send new connections."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.sandbox.traffic.balancers import frontends
from sohistio.sandbox.traffic.endpoints import Lagging, endpoints_of

A, B, C = ("127.244.128.1", 8443), ("127.244.128.2", 8443), ("127.244.128.3", 8443)


def endpoint(last: int, *, ready: bool | None = True, serving: bool = True) -> dict[str, Any]:
    conditions = {"serving": serving, "terminating": not ready} | ({} if ready is None else {"ready": ready})
    return {"addresses": [f"10.244.128.{last}"], "conditions": conditions}


def slice_of(*endpoints: dict[str, Any], name: str = "https", port: int = 8443, **metadata: Any) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": "gateway"}
    return {
        "metadata": {"namespace": "istio-system", "labels": labels} | metadata,
        "ports": [{"name": "http2", "port": 8080}, {"name": name, "port": port}],
        "endpoints": list(endpoints),
    }


@pytest.mark.parametrize(
    ("slices", "expected"),
    [
        ([], ()),
        ([slice_of(endpoint(2), endpoint(1))], (A, B)),
        ([slice_of(endpoint(1)), slice_of(endpoint(3))], (A, C)),
        # one that ends gets new connections only where none is ready
        ([slice_of(endpoint(1), endpoint(2, ready=False))], (A,)),
        ([slice_of(endpoint(1, ready=False), endpoint(2, ready=False, serving=False))], (A,)),
        ([slice_of(endpoint(1, ready=False, serving=False))], ()),
        # an unknown condition means ready
        ([slice_of(endpoint(1, ready=None))], (A,)),
        # another port, or an address that is no pod's
        ([slice_of(endpoint(1), name="tcp")], ()),
        ([slice_of({"addresses": ["192.0.2.1"], "conditions": {"ready": True}})], ()),
    ],
)
def test_ready_endpoints_or_else_serving_ones(slices: list[dict[str, Any]], expected: tuple[Any, ...]) -> None:
    assert endpoints_of(slices, "https") == expected


def test_a_late_balancer_keeps_an_endpoint_that_went() -> None:
    late = Lagging(8)
    assert late.known((A, B), 100) == (A, B)
    assert late.known((B,), 101) == (A, B)
    assert late.known((B,), 107.9) == (A, B)
    assert late.known((B, C), 108) == (B, C)
    assert late.known((), 115.9) == (B, C)
    assert late.known((), 116) == ()


def test_a_balancer_without_lag_drops_it_at_once() -> None:
    instant = Lagging(0)
    assert instant.known((A, B), 100) == (A, B)
    assert instant.known((B,), 100) == (B,)


def test_frontends_are_the_ports_of_services_that_this_machine_can_listen_at() -> None:
    def service(name: str, address: str, kind: str = "LoadBalancer", place: str = "istio-system") -> dict[str, Any]:
        return {
            "metadata": {"name": name, "namespace": place},
            "spec": {
                "type": kind,
                "ports": [{"name": "https", "port": 443}, {"name": "quic", "port": 443, "protocol": "UDP"}],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": address}] if address else []}},
        }

    services = [
        service("gateway", "127.100.0.10"),
        service("gateway", "127.100.0.11", place="elsewhere"),
        service("gateway", "10.1.0.1"),
        service("gateway", ""),
        service("gateway", "127.100.0.12", kind="ClusterIP"),
    ]
    assert frontends(services, [slice_of(endpoint(1))]) == {("127.100.0.10", 443): (A,), ("127.100.0.11", 443): ()}
