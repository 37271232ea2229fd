"""One object of every kind that Istio has, and a Gateway API whose objects are Istio's in part."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sandboxes import Sandbox
from sohistio.adapters.kubernetes.api import KubeApi, KubeError

_SELECTOR = {"selector": {"matchLabels": {"app": "web"}}}
_HOST = "web.shop.svc.cluster.local"
# Group and version as somebody writes them, kind, and a spec that istiod's webhook takes.
_ISTIO: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("networking.istio.io/v1", "DestinationRule", {"host": _HOST}),
    (
        "networking.istio.io/v1alpha3",
        "EnvoyFilter",
        {
            "workloadSelector": {"labels": {"app": "web"}},
            "configPatches": [
                {
                    "applyTo": "CLUSTER",
                    "match": {"context": "SIDECAR_OUTBOUND"},
                    "patch": {"operation": "MERGE", "value": {"connect_timeout": "3s"}},
                }
            ],
        },
    ),
    (
        "networking.istio.io/v1",
        "Gateway",
        {
            "selector": {"istio": "ingressgateway"},
            "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["every.example.com"]}],
        },
    ),
    ("networking.istio.io/v1beta1", "ProxyConfig", {"concurrency": 2}),
    (
        "networking.istio.io/v1",
        "ServiceEntry",
        {
            "hosts": ["partner.example.com"],
            "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
        },
    ),
    ("networking.istio.io/v1", "Sidecar", {"egress": [{"hosts": ["./*"]}]}),
    (
        "networking.istio.io/v1beta1",
        "VirtualService",
        {"hosts": ["every.example.com"], "http": [{"directResponse": {"status": 204}}]},
    ),
    ("networking.istio.io/v1", "WorkloadEntry", {"address": "10.1.2.3", "labels": {"app": "vm"}}),
    ("networking.istio.io/v1", "WorkloadGroup", {"template": {"serviceAccount": "vm"}}),
    ("security.istio.io/v1", "AuthorizationPolicy", {"action": "ALLOW", "rules": [{}]} | _SELECTOR),
    ("security.istio.io/v1", "PeerAuthentication", {"mtls": {"mode": "PERMISSIVE"}} | _SELECTOR),
    (
        "security.istio.io/v1",
        "RequestAuthentication",
        {"jwtRules": [{"issuer": "issuer.example.com", "jwks": '{"keys": []}'}]} | _SELECTOR,
    ),
    ("telemetry.istio.io/v1", "Telemetry", {"tracing": [{"randomSamplingPercentage": 1}]} | _SELECTOR),
    ("extensions.istio.io/v1alpha1", "TrafficExtension", {"lua": {"inlineCode": "-- nothing"}} | _SELECTOR),
    ("extensions.istio.io/v1alpha1", "WasmPlugin", {"url": "oci://registry.example.com/wasm:1"} | _SELECTOR),
)
_GATEWAY_API = "gateway.networking.k8s.io"
# Kinds with their versions: the preferred one does not have them all, as in Istio's own group.
_CRDS = {
    "GatewayClass": ("gatewayclasses", ("v1",)),
    "Gateway": ("gateways", ("v1", "v1beta1")),
    "HTTPRoute": ("httproutes", ("v1",)),
    "ReferenceGrant": ("referencegrants", ("v1beta1",)),
}
_RULES = [{"backendRefs": [{"name": "web", "port": 80}]}]


def _object(version: str, kind: str, spec: dict[str, Any], name: str = "every", place: str = "shop") -> dict[str, Any]:
    metadata = {"name": name, "labels": {"team": "shop"}} | ({"namespace": place} if place else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def of_istio(place: str) -> list[dict[str, Any]]:
    """One object of each of Istio's kinds."""
    return [_object(version, kind, spec, place=place) for version, kind, spec in _ISTIO]


def definitions() -> list[dict[str, Any]]:
    """CRDs of the Gateway API, with no more than a test needs."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return [
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": f"{plural}.{_GATEWAY_API}",
                "annotations": {"api-approved.kubernetes.io": "unapproved, a test"},
            },
            "spec": {
                "group": _GATEWAY_API,
                "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
                "scope": "Cluster" if kind == "GatewayClass" else "Namespaced",
                "versions": [
                    {"name": version, "served": True, "storage": version == versions[0], "schema": schema}
                    for version in versions
                ],
            },
        }
        for kind, (plural, versions) in _CRDS.items()
    ]


def of_gateway_api(place: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What Istio serves, a Gateway of the same name as Istio's own among it; and what others do."""
    version = f"{_GATEWAY_API}/v1"

    def gateway(name: str, of: str) -> dict[str, Any]:
        return _object(version, "Gateway", {"gatewayClassName": of, "listeners": []}, name, place)

    def route(name: str, parent: dict[str, str]) -> dict[str, Any]:
        return _object(version, "HTTPRoute", {"parentRefs": [parent], "rules": _RULES}, name, place)

    istios = [
        _object(version, "GatewayClass", {"controllerName": "istio.io/gateway-controller"}, "ours", ""),
        gateway("every", "ours"),
        gateway("waypoint", "istio-waypoint"),
        route("every", {"name": "every"}),
        route("of-a-service", {"group": "", "kind": "Service", "name": "web"}),
        _object(
            f"{_GATEWAY_API}/v1beta1",
            "ReferenceGrant",
            {
                "from": [{"group": _GATEWAY_API, "kind": "HTTPRoute", "namespace": place}],
                "to": [{"group": "", "kind": "Service"}],
            },
            place=place,
        ),
    ]
    others = [
        _object(version, "GatewayClass", {"controllerName": "istio.io/gateway-controller"}, "approuting-istio", ""),
        _object(version, "GatewayClass", {"controllerName": "example.com/another"}, "another", ""),
        gateway("routing", "approuting-istio"),
        gateway("another", "another"),
        route("another", {"name": "another"}),
    ]
    return istios, others


def create(sandbox: Sandbox, *objects: dict[str, Any]) -> None:
    """Create each object as soon as the server takes it."""
    for obj in objects:
        insist(sandbox, partial(_create, obj))


def _create(obj: dict[str, Any], api: KubeApi) -> None:
    api.create(api.path_of(obj).rpartition("/")[0], obj)


def insist(sandbox: Sandbox, write: Callable[[KubeApi], object], *, seconds: float = 20) -> None:
    """Write until the server takes it: a kind may be new, a webhook on its way out."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            write(sandbox.api)  # a new client each time: it remembers which kinds there are
            return
        except KubeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
