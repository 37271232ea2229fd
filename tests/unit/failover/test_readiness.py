"""Whether a standby could take over: tables of each judgement."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sides import EGRESS, side, world
from sohistio.failover.readiness import (
    address_faults,
    certificate_fault,
    idle_hosts,
    rehearsal_fault,
    root_fault,
    unscaled_faults,
    version_faults,
)
from sohistio.failover.world import Side
from sohistio.model.fault import Severity


@pytest.mark.parametrize(
    ("changed", "count"),
    [
        pytest.param(side("dr", 0), 0, id="pinned"),
        pytest.param(side("dr", 0, pinned=""), 1, id="not-pinned"),
        pytest.param(side("dr", 0, address="10.2.0.9"), 1, id="another"),
        pytest.param(side("dr", 0, address=""), 1, id="none"),
        pytest.param(side("dr", 0, address="", problem="no route"), 0, id="cannot-be-read"),
    ],
)
def test_addresses(changed: Side, count: int) -> None:
    assert len(list(address_faults((side("prod", 3), changed)))) == count


@pytest.mark.parametrize(
    ("primary", "count"),
    [
        pytest.param(side("prod", 3), 0, id="equal"),
        pytest.param(side("prod", 3, version="1.30.5"), 1, id="older"),
        pytest.param(side("prod", 3, version="", problem="no route"), 0, id="cannot-be-read"),
    ],
)
def test_versions(primary: Side, count: int) -> None:
    assert len(list(version_faults(primary, world().standby))) == count


def gateway(name: str = "edge", selector: dict[str, str] | None = None, secret: str = "") -> dict[str, Any]:
    tls = {"tls": {"mode": "SIMPLE", "credentialName": secret}} if secret else {}
    chosen = {"istio": "ingressgateway"} if selector is None else selector
    return {
        "metadata": {"namespace": "istio-system", "name": name},
        "spec": {"selector": chosen, "servers": [{"hosts": ["*"], **tls}]},
    }


def route(host: str, gateways: tuple[str, ...] = ("istio-system/edge",), kind: str = "http") -> dict[str, Any]:
    rule = {"route": [{"destination": {"host": host}}]}
    return {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"hosts": ["shop.example.com"], "gateways": list(gateways), kind: [rule]},
    }


def endpoints(*ready: bool, service: str = "web") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "labels": {"kubernetes.io/service-name": service}},
        "endpoints": [{"conditions": {"ready": item}} for item in ready],
    }


@pytest.mark.parametrize(
    ("gateways", "routes", "slices", "idle"),
    [
        pytest.param([gateway()], [route("web.shop.svc.cluster.local")], [endpoints(True)], False, id="ready"),
        pytest.param([gateway()], [route("web")], [endpoints(False, True)], False, id="one-is-ready"),
        pytest.param([gateway()], [route("web.shop")], [endpoints(False)], True, id="none-is-ready"),
        pytest.param([gateway()], [route("web")], [], True, id="no-endpoints"),
        pytest.param([gateway()], [route("web", kind="tcp")], [], True, id="tcp"),
        pytest.param([gateway()], [route("other")], [endpoints(True)], True, id="another-service"),
        pytest.param([gateway()], [route("api.partner.com")], [], False, id="outside-the-cluster"),
        pytest.param([gateway()], [route("web", ("mesh",))], [], False, id="not-through-the-gateway"),
        pytest.param([gateway("edge", {"istio": "egressgateway"})], [route("web")], [], False, id="egress"),
        pytest.param([], [route("web")], [], False, id="no-gateway"),
    ],
)
def test_hosts_that_nobody_answers_for(
    gateways: list[dict[str, Any]], routes: list[dict[str, Any]], slices: list[dict[str, Any]], idle: bool
) -> None:
    found = idle_hosts(gateways, routes, slices)
    assert [host for host, _ in found] == (["shop.example.com"] if idle else [])


@pytest.mark.parametrize(
    ("days", "words", "severity"),
    [
        pytest.param(None, "does not exist", None, id="none"),
        pytest.param(-1.0, "has expired", None, id="expired"),
        pytest.param(13.0, "ends in 13 days", Severity.WARNING, id="soon"),
    ],
)
def test_a_certificate(days: float | None, words: str, severity: Severity | None) -> None:
    fault = certificate_fault("tls", days)
    assert fault is not None
    assert words in fault.message
    assert fault.severity is severity


def test_what_is_well() -> None:
    assert certificate_fault("tls", 15.0) is None
    assert rehearsal_fault(90.0) is None


@pytest.mark.parametrize("days", [None, 91.0])
def test_a_rehearsal_that_is_too_long_ago(days: float | None) -> None:
    assert rehearsal_fault(days) is not None


def test_the_line_of_a_side_that_cannot_be_read() -> None:
    assert replace(side("prod", 3), problem="no route").line() == "prod: cannot be read (no route)"


def test_a_gateway_without_an_autoscaler_is_named() -> None:
    assert list(unscaled_faults(side("dr", 0))) == []
    (fault,) = unscaled_faults(side("dr", 0, maximums={EGRESS: 10}))
    assert fault.message == "istio-ingressgateway has no autoscaler: it would stay at 3 pods"
    assert fault.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("roots", "declared", "expected"),
    [
        (({"a" * 64}, {"a" * 64}), True, None),
        (({"a" * 64, "b" * 64}, {"b" * 64}), True, None),  # a rotation has both
        (({"a" * 64}, {"b" * 64}), True, Severity.ERROR),
        (({"a" * 64}, {"b" * 64}), False, Severity.WARNING),  # each istiod's own
    ],
)
def test_roots(roots: tuple[set[str], set[str]], declared: bool, expected: Severity | None) -> None:
    fault = root_fault(("prod", "dr"), roots, both_declare=declared)
    assert (fault.severity if fault else None) is expected
    if fault:
        assert fault.message == (
            "the meshes have different roots (SHA-256): prod aaaaaaaaaaaaaaaa…, dr bbbbbbbbbbbbbbbb…"
        )
