"""Hosts that rules would close though they are served, hosts that nobody serves, hosts that are claimed twice."""

from __future__ import annotations

from typing import Any

import pytest

from lockouts import Raw, around, found_in, istio, messages
from sohistio.model.fault import Severity
from sohistio.model.policy import POLICY_LABEL, Policy
from sohistio.model.policy_access import HostAccess, HostRule, JwtIssuer, Operation
from sohistio.model.policy_traffic import IngressHosts, Route
from sohistio.plan.changes import ref_of
from sohistio.policy.claimed_hosts import claimed_twice
from sohistio.policy.render import rendered
from sohistio.policy.served_hosts import overlap

HOST = "shop.example.com"
ISSUER = JwtIssuer("https://login.example.com", ("shop",), jwks_uri="https://login.example.com/keys")
PODS = {"istio": "ingressgateway"}
ANY = HostRule()


def gateway(*hosts: str, name: str = "web", selector: Raw | None = None, port: int = 443, tls: bool = True) -> Raw:
    server: Raw = {"port": {"number": port, "protocol": "HTTPS" if tls else "HTTP"}, "hosts": list(hosts)}
    servers = [server | ({"tls": {"mode": "SIMPLE", "credentialName": "x"}} if tls else {})]
    return istio("Gateway", "shop", name, selector=PODS if selector is None else selector, servers=servers)


def routed(host: str = HOST, gateway_name: str = "web", *matches: Raw) -> Raw:
    rules = [{"match": [match], "route": []} for match in matches] or [{"route": []}]
    return istio("VirtualService", "shop", "web", hosts=[host], gateways=[gateway_name], http=rules)


def closing(*allow: HostRule, hosts: tuple[str, ...] = (HOST,), jwt: bool = True) -> Policy:
    return Policy(jwt=(ISSUER,) if jwt else (), hosts=(HostAccess(hosts, allow),))


def paths(*found: str, methods: tuple[str, ...] = ()) -> HostRule:
    return HostRule(Operation(found, methods), anonymous=True)


CLOSED = f"policy.hosts would close {HOST}, which VirtualService shop/web serves: no rule lets any request in"
NO_ISSUER = CLOSED.replace("no rule lets any request in", "every rule wants a token, and no issuer is in policy.jwt")
NOBODY = f"policy.hosts has rules for {HOST}, which no VirtualService routes at the ingress gateway"


@pytest.mark.parametrize(
    ("policy", "live", "found"),
    [
        (closing(ANY), [gateway(HOST), routed()], {}),
        (closing(), [gateway(HOST), routed()], {CLOSED: "error"}),
        (closing(), [gateway("shop/*.example.com"), routed()], {CLOSED: "error"}),
        (closing(), [gateway("*"), routed(HOST, "shop/web")], {CLOSED: "error"}),
        (closing(), [gateway(HOST, selector={"istio": "other"}), routed()], {NOBODY: "warning"}),
        (closing(), [gateway(HOST), routed(HOST, "mesh")], {NOBODY: "warning"}),
        (closing(), [], {NOBODY: "warning"}),
        (
            closing(ANY, jwt=False),
            [gateway(HOST), routed()],
            {NO_ISSUER: "error"},
        ),
        (closing(paths("/health"), jwt=False), [gateway(HOST), routed()], {}),
        (
            closing(ANY, jwt=False),
            [gateway(HOST), routed(), istio("RequestAuthentication", "istio-system", "own", jwtRules=[])],
            {},
        ),
        (
            closing(hosts=("*.example.com",)),
            [gateway(HOST), routed()],
            {CLOSED.replace(HOST, f"{HOST} (*.example.com)"): "error"},
        ),
    ],
)  # fmt: skip
def test_hosts_that_are_served_and_closed(policy: Policy, live: list[Raw], found: dict[str, str]) -> None:
    assert found_in(around(policy, live=live)) == found


@pytest.mark.parametrize(
    ("rule", "match", "open_"),
    [
        (paths("/api/*"), {"uri": {"prefix": "/"}}, True),
        (paths("/api/*"), {"uri": {"prefix": "/api/v1"}}, True),
        (paths("/api/*"), {"uri": {"exact": "/api/v1"}}, True),
        (paths("/api/*"), {"uri": {"exact": "/apiary"}}, False),
        (paths("/api/*"), {"uri": {"prefix": "/web"}}, False),
        (paths("/api"), {"uri": {"exact": "/api"}}, True),
        (paths("/api"), {"uri": {"prefix": "/ap"}}, True),
        (paths("/api"), {"uri": {"exact": "/api/v1"}}, False),
        (paths("/api"), {"uri": {"regex": "/x.*"}}, True),
        (paths("*.html"), {"uri": {"prefix": "/web"}}, True),
        (paths("/api/{*}/x"), {"uri": {"prefix": "/web"}}, True),
        (paths("/api/*", methods=("GET",)), {"uri": {"prefix": "/api"}, "method": {"exact": "POST"}}, False),
        (paths("/api/*", methods=("GET",)), {"uri": {"prefix": "/api"}, "method": {"exact": "GET"}}, True),
        (paths(methods=("GET",)), {"uri": {"prefix": "/api"}}, True),
        (paths("/web"), {"headers": {"x": {"exact": "y"}}}, True),
    ],
)
def test_routes_that_no_rule_lets_in(rule: HostRule, match: Raw, open_: bool) -> None:
    health = {"uri": {"exact": "/health"}}
    policy = closing(paths("/health"), rule)
    found = found_in(around(policy, live=[gateway(HOST), routed(HOST, "web", health, match)]))
    assert bool(found) is not open_
    for message, severity in found.items():
        assert message.startswith(f"policy.hosts would close routes of {HOST} in VirtualService shop/web")
        assert severity == "error"


@pytest.mark.parametrize(
    ("spec", "annotations", "served"),
    [
        ({"ingressClassName": "istio"}, {}, True),
        ({"ingressClassName": "mesh"}, {}, True),
        ({}, {"kubernetes.io/ingress.class": "istio"}, True),
        ({"ingressClassName": "nginx"}, {"kubernetes.io/ingress.class": "istio"}, False),
        ({}, {}, False),
    ],
)
def test_ingresses_that_istio_serves_are_closed_too(spec: Raw, annotations: Raw, served: bool) -> None:
    ingress = {
        "metadata": {"namespace": "shop", "name": "web", "annotations": annotations},
        "spec": spec | {"rules": [{"host": HOST}]},
    }
    seen = around(closing(), ingresses=[ingress], ingress_controllers={"mesh": "istio.io/ingress-controller"})
    assert found_in(seen) == ({CLOSED.replace("VirtualService", "Ingress"): "error"} if served else {NOBODY: "warning"})


def test_only_what_is_deleted_serves_no_host_any_more() -> None:
    """A copy of a policy's object has its label, and stays."""
    copied = routed()
    copied["metadata"]["labels"] = {POLICY_LABEL: "qa"}
    live = [gateway(HOST), copied]
    assert found_in(around(closing(), live=live)) == {CLOSED: "error"}
    assert found_in(around(closing(), live=live, going=frozenset({ref_of(copied)}))) == {NOBODY: "warning"}


def test_what_is_only_declared_is_no_loss_yet() -> None:
    entry = IngressHosts("shop", (HOST,), "shop-tls", (Route("/", "web", "shop", 80),))
    policy = Policy(hosts=(HostAccess((HOST,)),), ingress=(entry,))
    assert list(found_in(around(policy)).values()) == ["warning"]


def test_rules_that_are_in_force_are_not_reported_again() -> None:
    policy = closing()
    live = [gateway(HOST), routed(), *rendered(policy, "qa").objects]
    assert found_in(around(policy, live=live)) == {}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.b", "a.b", True),
        ("*", "a.b", True),
        ("*.b", "a.b", True),
        ("a.b", "*.b", True),
        ("*.c", "a.b", False),
        ("*.b.c", "*.c", True),
        ("*.c", "*.d", False),
        ("a.b", "c.b", False),
        ("*.b", "b", False),
    ],
)
def test_hosts_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected


def own_gateway(name: str = "shop") -> dict[Any, Raw]:
    entry = IngressHosts(name, (HOST,), "shop-tls", (Route("/", "web", "shop", 80),))
    return {ref_of(obj): obj for obj in rendered(Policy(ingress=(entry,)), "qa").objects if obj["kind"] == "Gateway"}


OWN = "Gateway istio-system/shop"


def test_a_host_that_the_policy_and_a_live_gateway_claim() -> None:
    own, live = own_gateway(), gateway(f"*/{HOST}")
    faults = list(claimed_twice(own | {ref_of(live): live}))
    assert messages(faults) == [f"{HOST} at port 443 is claimed by {OWN}, Gateway shop/web: only one of them counts"]
    assert faults[0].severity is Severity.ERROR
    applied = list(claimed_twice(own | {ref_of(live): live}, own))
    assert [fault.severity for fault in applied] == [Severity.WARNING]


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        (gateway(HOST), gateway(HOST, name="b"), f"{HOST} at port 443 is claimed by Gateway shop/b, Gateway"),
        (
            gateway(HOST, port=80, tls=False),
            gateway(HOST, name="b", port=80, tls=False),
            f"{HOST} at port 80 is claimed by Gateway shop/b, Gateway shop/web: their routes are mixed",
        ),
        (gateway(HOST), gateway(HOST, name="b", selector={}), f"{HOST} at port 443 is claimed by"),
        (gateway(HOST), gateway(HOST, name="b", selector={"istio": "other"}), ""),
        (gateway(HOST), gateway(HOST, name="b", port=8443), ""),
        (gateway(HOST), gateway("*.example.com", name="b"), ""),
        (gateway(HOST), gateway("other.example.com", name="b"), ""),
    ],
)  # fmt: skip
def test_hosts_that_people_claim_twice(one: Raw, other: Raw, message: str) -> None:
    faults = list(claimed_twice({ref_of(obj): obj for obj in (one, other)}))
    assert [fault.severity for fault in faults] == ([Severity.WARNING] if message else [])
    assert all(fault.message.startswith(message) for fault in faults)
