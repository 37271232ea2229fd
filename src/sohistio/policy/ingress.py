"""What the platform itself exposes at the ingress gateway."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.model.policy import Policy
from sohistio.model.policy_traffic import IngressHosts, Route
from sohistio.policy.objects import ROOT, Object, made, service_host


def ingress_objects(policy: Policy) -> Iterator[Object]:
    """A Gateway and a VirtualService for each entry."""
    for entry in policy.ingress:
        yield made("Gateway", ROOT, entry.name, _gateway(entry, dict(policy.ingress_gateway.labels)))
    for entry in policy.ingress:
        routes = sorted(entry.routes, key=lambda route: len(route.prefix.rstrip("/")), reverse=True)
        spec = {
            "hosts": list(entry.hosts),
            "gateways": [f"{ROOT}/{entry.name}"],
            "http": [_http(route) for route in routes],
        }
        yield made("VirtualService", ROOT, entry.name, spec)


def _gateway(entry: IngressHosts, pods: dict[str, str]) -> Object:
    hosts = list(entry.hosts)
    https = {
        "port": {"number": 443, "name": f"https-{entry.name}", "protocol": "HTTPS"},
        "hosts": hosts,
        "tls": {"mode": "SIMPLE", "credentialName": entry.credential},
    }
    http = {
        "port": {"number": 80, "name": f"http-{entry.name}", "protocol": "HTTP"},
        "hosts": hosts,
        "tls": {"httpsRedirect": True},
    }
    return {"selector": pods, "servers": [https, http]}


def _http(route: Route) -> Object:
    """A prefix ends where a path segment does: `/api` is not the beginning of `/apiary`."""
    prefix = route.prefix.rstrip("/")
    match = [{"uri": {"exact": prefix}}, {"uri": {"prefix": f"{prefix}/"}}] if prefix else [{"uri": {"prefix": "/"}}]
    destination = {"host": service_host(route.service, route.namespace), "port": {"number": route.port}}
    return {"match": match, "route": [{"destination": destination}]}
