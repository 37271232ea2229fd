"""Which objects of somebody's have the purpose of a policy's, as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies import WHOLE, live_of, somebodys
from sohistio.model.policy import Policy, Stage
from sohistio.policy.hand_made import hand_made
from sohistio.policy.render import rendered


def _patch(name: str, operation: str) -> dict[str, Any]:
    match = {"listener": {"filterChain": {"filter": {"subFilter": {"name": name}}}}}
    return {"applyTo": "HTTP_FILTER", "match": match, "patch": {"operation": operation}}


INGRESS = {"selector": {"matchLabels": {"istio": "ingressgateway"}}}
ANY: dict[str, Any] = {"rules": [{}]}


@pytest.mark.parametrize(
    ("made", "effect"),
    [
        (
            somebodys("PeerAuthentication", "istio-system", "mesh", mtls={"mode": "STRICT"}),
            "sets mTLS of the whole mesh as well (STRICT): Istio takes the older one",
        ),
        (
            somebodys("PeerAuthentication", "shop", "x", mtls={"mode": "PERMISSIVE"}),
            "takes plaintext (PERMISSIVE) in spite of mode strict",
        ),
        (
            somebodys("PeerAuthentication", "shop", "x", portLevelMtls={"8080": {"mode": "DISABLE"}}),
            "takes plaintext (DISABLE) in spite of mode strict",
        ),
        (somebodys("PeerAuthentication", "legacy", "x", mtls={"mode": "PERMISSIVE"}), ""),
        (somebodys("PeerAuthentication", "shop", "x", mtls={"mode": "STRICT"}), ""),
        (
            somebodys("AuthorizationPolicy", "istio-system", "x", **INGRESS, **ANY),
            "lets requests in at the ingress gateway, whatever policy.hosts says",
        ),
        (somebodys("AuthorizationPolicy", "istio-system", "x", action="DENY", **INGRESS, **ANY), ""),
        (somebodys("AuthorizationPolicy", "istio-system", "x", **INGRESS), ""),
        (somebodys("AuthorizationPolicy", "shop", "x", **INGRESS, **ANY), ""),
        (
            somebodys(
                "AuthorizationPolicy", "istio-system", "x", selector={"matchLabels": {"istio": "egressgateway"}}, **ANY
            ),
            "lets calls out at the egress gateway, whatever policy.egress says",
        ),
        (
            somebodys("AuthorizationPolicy", "payments", "x", **ANY),
            "lets calls in, whatever policy.workloads says of its namespace",
        ),
        (
            somebodys("RequestAuthentication", "istio-system", "x", **INGRESS),
            "accepts tokens at the ingress gateway as well",
        ),
        (
            somebodys("VirtualService", "shop", "x", hosts=["shop.example.com"], gateways=["istio-system/other"]),
            "routes shop.example.com as well: Istio takes one of the two",
        ),
        (
            somebodys("VirtualService", "shop", "x", hosts=["orders"]),
            "routes orders.shop.svc.cluster.local as well: Istio takes one of the two",
        ),
        (somebodys("VirtualService", "shop", "x", hosts=["web"]), ""),
        (
            somebodys("DestinationRule", "shop", "x", host="*.shop.svc.cluster.local"),
            "has rules for *.shop.svc.cluster.local as well: Istio takes one of the two",
        ),
        (somebodys("DestinationRule", "shop", "x", host="orders"), ""),
        (
            somebodys("ServiceEntry", "shop", "x", hosts=["api.example.com"]),
            "declares api.example.com as well, past the egress gateway",
        ),
        (
            somebodys("ServiceEntry", "shop", "x", hosts=["other.example.com"]),
            "lets other.example.com be called, past the egress gateway",
        ),
        (somebodys("ServiceEntry", "shop", "x", hosts=["vm.shop"], location="MESH_INTERNAL"), ""),
        (
            somebodys("Sidecar", "shop", "x", outboundTrafficPolicy={"mode": "ALLOW_ANY"}),
            "lets all external hosts be called, whatever policy.egress says",
        ),
        (somebodys("Sidecar", "shop", "x", egress=[{"hosts": ["./*"]}]), ""),
        (
            somebodys("EnvoyFilter", "istio-system", "x", configPatches=[_patch("envoy.filters.http.rbac", "REMOVE")]),
            "changes envoy.filters.http.rbac, by which the policy refuses",
        ),
        (
            somebodys("EnvoyFilter", "shop", "x", configPatches=[_patch("envoy.filters.http.rbac", "INSERT_BEFORE")]),
            "",
        ),
        (somebodys("EnvoyFilter", "shop", "x", configPatches=[_patch("envoy.filters.http.lua", "REMOVE")]), ""),
        (
            somebodys("Telemetry", "istio-system", "x"),
            "is for the whole mesh as well: Istio takes the older one",
        ),
        (somebodys("Telemetry", "shop", "x"), ""),
        (
            somebodys("Telemetry", "shop", "x", accessLogging=[{"disabled": True}]),
            "switches the access log off where it applies",
        ),
    ],
)
def test_what_it_does_to_the_policy(made: Any, effect: str) -> None:
    assert [item.effect for item in hand_made(WHOLE, made, "qa")] == ([effect] if effect else [])
    assert hand_made(Policy(), made, "qa") == (), "without a policy it is nobody's business"


def test_sohistios_own_objects_are_none_of_them() -> None:
    for stage in Stage:
        policy = replace(WHOLE, stage=stage)
        assert hand_made(policy, live_of(rendered(policy, "qa").objects), "qa") == ()


@pytest.mark.parametrize("environment", ["qa", "prod"])
def test_a_forged_label_hides_nothing(environment: str) -> None:
    """What sohistio made has its field manager too."""
    made = somebodys("AuthorizationPolicy", "payments", "forged", **ANY)
    for obj in made.values():
        obj["metadata"]["labels"] = {"sohistio/policy": environment}
    assert [item.undoes for item in hand_made(WHOLE, made, "qa")] == [True]
