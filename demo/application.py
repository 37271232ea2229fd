"""An application behind the ingress gateway of a sandbox with traffic, as a user applies it with kubectl."""

from __future__ import annotations

from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.system.certificates import Authority


def deploy(api: KubeApi, host: str, authority: Authority) -> None:
    """The application `web` in namespace shop, and what leads to it by the host's name.

    Its pods answer with their sandbox's name. Raises KubeError.
    """
    issued = authority.issue((host,))
    system = "istio-system"
    https = {
        "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
        "tls": {"mode": "SIMPLE", "credentialName": "shop-tls"},
        "hosts": [host],
    }
    route = {"route": [{"destination": {"host": "web.shop.svc.cluster.local", "port": {"number": 80}}}]}
    pod = {
        "metadata": {"labels": {"app": "web", "sandbox.sohistio/backend": "true"}},
        "spec": {"containers": [{"name": "web", "image": "web"}]},
    }
    objects: list[tuple[str, dict[str, Any]]] = [
        ("/api/v1/namespaces", _object("v1", "Namespace", "", "shop")),
        (
            "/apis/apps/v1/namespaces/shop/deployments",
            _object("apps/v1", "Deployment", "shop", "web")
            | {"spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": pod}},
        ),
        (
            "/api/v1/namespaces/shop/services",
            _object("v1", "Service", "shop", "web")
            | {"spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}},
        ),
        (
            f"/api/v1/namespaces/{system}/secrets",
            _object("v1", "Secret", system, "shop-tls")
            | {"type": "kubernetes.io/tls", "stringData": {"tls.crt": issued.certificate, "tls.key": issued.key}},
        ),
        (
            f"/apis/networking.istio.io/v1/namespaces/{system}/gateways",
            _object("networking.istio.io/v1", "Gateway", system, "shop")
            | {"spec": {"selector": {"istio": "ingressgateway"}, "servers": [https]}},
        ),
        (
            "/apis/networking.istio.io/v1/namespaces/shop/virtualservices",
            _object("networking.istio.io/v1", "VirtualService", "shop", "web")
            | {"spec": {"hosts": [host], "gateways": [f"{system}/shop"], "http": [route]}},
        ),
    ]
    for path, obj in objects:
        api.create(path, obj)


def _object(version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
