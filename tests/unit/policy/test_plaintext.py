"""Whom STRICT would cut off, by what runs in the cluster and by yesterday's traffic."""

from __future__ import annotations

from typing import Any

import pytest

from lockouts import Raw, around, found_in, istio, pod_of, service_of
from sohistio.model.policy import Mtls, Policy, Stage
from sohistio.model.traffic import Call, Peer, Traffic
from sohistio.policy.running import running

STRICT = Policy(mtls=Mtls())
ORDERS = pod_of("shop", "orders")
OUTSIDER = pod_of("reports", "nightly", sidecar=False)
CUT_OFF = (
    "policy.mtls would cut them off if they call shop: without a sidecar, outside the mesh: Deployment reports/nightly"
)
STRICT_NOW = istio("PeerAuthentication", "istio-system", "default", mtls={"mode": "STRICT"})


def test_pods_without_a_sidecar_are_named_not_guessed_about() -> None:
    within = pod_of("shop", "batch", sidecar=False)
    assert found_in(around(STRICT, ORDERS, OUTSIDER, within)) == {
        "policy.mtls would cut them off if they call shop: without a sidecar, in namespaces of the mesh: "
        "Deployment shop/batch": "warning",
        CUT_OFF: "warning",
    }


_NOTHING: dict[str, tuple[Policy, list[Raw], dict[str, Any]]] = {
    "strict already": (STRICT, [ORDERS, OUTSIDER], {"live": [STRICT_NOW]}),
    "permissive": (Policy(mtls=Mtls(strict=False)), [ORDERS, OUTSIDER], {}),
    "the namespace stays permissive": (Policy(mtls=Mtls(permissive=("shop",))), [ORDERS, OUTSIDER], {}),
    "no mtls": (Policy(), [ORDERS, OUTSIDER], {}),
    "no sidecar at all": (STRICT, [pod_of("shop", "orders", sidecar=False), OUTSIDER], {}),
    "the gateway alone": (STRICT, [pod_of("istio-system", "istio-ingressgateway", gateway=True), OUTSIDER], {}),
    "everybody has a sidecar": (STRICT, [ORDERS, pod_of("reports", "nightly")], {}),
    "the platform's own": (STRICT, [ORDERS, pod_of("kube-system", "coredns", sidecar=False)], {}),
    "people keep it permissive": (
        STRICT,
        [ORDERS, OUTSIDER],
        {"live": [istio("PeerAuthentication", "shop", "own", mtls={"mode": "PERMISSIVE"})]},
    ),
    "people keep the workload permissive": (
        STRICT,
        [ORDERS, OUTSIDER],
        {
            "live": [
                istio(
                    "PeerAuthentication",
                    "shop",
                    "own",
                    selector={"matchLabels": {"app": "orders"}},
                    mtls={"mode": "PERMISSIVE"},
                )
            ]
        },
    ),
    "it is strict by a rule of its namespace": (
        STRICT,
        [ORDERS, OUTSIDER],
        {"live": [istio("PeerAuthentication", "shop", "own", mtls={"mode": "STRICT"})]},
    ),
}


@pytest.mark.parametrize("name", _NOTHING)
def test_nothing_is_said_where_nothing_changes(name: str) -> None:
    policy, pods, more = _NOTHING[name]
    assert found_in(around(policy, *pods, **more)) == {}


def test_what_the_run_restarts_has_a_sidecar_by_then() -> None:
    orders, batch = pod_of("shop", "orders"), pod_of("shop", "batch", sidecar=False)
    refs = frozenset(item.ref for item in running([batch]))
    assert found_in(around(STRICT, orders, batch, restarted=refs)) == {}


def test_a_client_that_is_given_a_service_to_call_is_named_with_it() -> None:
    client = pod_of("reports", "nightly", sidecar=False, env={"ORDERS_URL": "http://u:secret@orders.shop:80/x"})
    found = found_in(around(STRICT, ORDERS, client, services=[service_of("shop", "orders")]))
    assert found == {
        "policy.mtls would cut it off if it calls there: Deployment reports/nightly has no sidecar, and is given "
        "orders.shop to call": "warning"
    }


def test_services_that_lead_past_the_gateways_are_errors() -> None:
    services = [service_of("shop", "orders", "LoadBalancer"), service_of("shop", "none", "NodePort")]
    services += [service_of("istio-system", "istio-ingressgateway", "LoadBalancer")]
    gateway = pod_of("istio-system", "istio-ingressgateway", gateway=True)
    assert found_in(around(STRICT, ORDERS, gateway, services=services)) == {
        "policy.mtls would close it: Service shop/orders (LoadBalancer) leads from outside the cluster to "
        "Deployment shop/orders, past every gateway": "error"
    }
    excluded = pod_of("shop", "orders", annotations={"traffic.sidecar.istio.io/excludeInboundPorts": "9090, 8080"})
    assert found_in(around(STRICT, excluded, services=services)) == {}


def _ingress(class_name: str) -> Raw:
    backend = {"service": {"name": "orders", "port": {"number": 80}}}
    rules = [{"host": "shop.example.com", "http": {"paths": [{"path": "/", "backend": backend}]}}]
    return {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"ingressClassName": class_name, "rules": rules},
    }


@pytest.mark.parametrize(
    ("class_name", "controller_has_sidecar", "severity"),
    [("istio", False, ""), ("nginx", False, "error"), ("nginx", True, ""), ("other", False, "warning")],
)
def test_ingresses_whose_controller_speaks_plaintext(
    class_name: str, controller_has_sidecar: bool, severity: str
) -> None:
    args = ["--controller-class=k8s.io/ingress-nginx"]
    controller = pod_of("ingress", "nginx", sidecar=controller_has_sidecar, args=args)
    seen = around(
        STRICT,
        ORDERS,
        controller,
        services=[service_of("shop", "orders")],
        ingresses=[_ingress(class_name)],
        ingress_controllers={"nginx": "k8s.io/ingress-nginx", "other": "example.com/other"},
    )
    found = {text: bad for text, bad in found_in(seen).items() if "Ingress" in text}
    assert list(found.values()) == ([severity] if severity else [])
    if severity == "error":
        assert next(iter(found)) == (
            "policy.mtls would close it: Ingress shop/web leads to Deployment shop/orders from Deployment "
            "ingress/nginx, which has no sidecar"
        )


@pytest.mark.parametrize(
    ("host", "spec", "reported"),
    [
        ("orders", {"trafficPolicy": {"tls": {"mode": "DISABLE"}}}, True),
        ("orders.shop.svc.cluster.local", {"subsets": [{"trafficPolicy": {"tls": {"mode": "SIMPLE"}}}]}, True),
        ("*.shop.svc.cluster.local", {"trafficPolicy": {"portLevelSettings": [{"tls": {"mode": "DISABLE"}}]}}, True),
        ("orders", {"trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}, False),
        ("db.example.com", {"trafficPolicy": {"tls": {"mode": "SIMPLE"}}}, False),
        ("orders.other.svc.cluster.local", {"trafficPolicy": {"tls": {"mode": "DISABLE"}}}, False),
    ],
)
def test_rules_that_switch_mtls_off_on_the_clients_side(host: str, spec: Raw, reported: bool) -> None:
    rule = istio("DestinationRule", "shop", "plain", host=host, **spec)
    found = found_in(around(STRICT, ORDERS, live=[rule], services=[service_of("shop", "orders")]))
    assert list(found.values()) == (["error"] if reported else [])


def test_yesterdays_plaintext_is_an_error_by_destination() -> None:
    calls = (
        Call(Peer.of("unknown", "unknown"), Peer("shop", "orders"), count=12),
        Call(Peer("reports", "nightly"), Peer("shop", "orders"), tcp=True, count=3),
        Call(Peer("x", "y"), Peer("media", "player"), count=9),
    )
    policy = Policy(mtls=Mtls(permissive=("media",)))
    seen = around(policy, ORDERS, pod_of("media", "player"), traffic=Traffic(plaintext=calls))
    assert found_in(seen) == {
        "policy.mtls would cut them off: Deployment shop/orders took plaintext in the last day, from unknown clients "
        "(12 requests), reports/nightly (3 connections)": "error"
    }


def test_in_stage_audit_nothing_is_an_error() -> None:
    seen = around(Policy(stage=Stage.AUDIT, mtls=Mtls()), ORDERS, services=[service_of("shop", "orders", "NodePort")])
    assert set(found_in(seen).values()) == {"warning"}


def test_pods_are_named_by_what_owns_them() -> None:
    pods = [
        pod_of("a", "web"),
        pod_of("a", "data", owner=("StatefulSet", "data")),
        pod_of("a", "nightly", owner=("Job", "nightly-29012345"), phase="Succeeded"),
        pod_of("a", "once", owner=("Job", "once"), phase="Succeeded"),
        pod_of("a", "gone", phase="Failed"),
        pod_of("a", "web", sidecar=False),
    ]
    assert [(str(item.ref), item.sidecar) for item in running(pods)] == [
        ("CronJob a/nightly", True),
        ("Deployment a/web", False),
        ("Job a/once", True),
        ("StatefulSet a/data", True),
    ]
