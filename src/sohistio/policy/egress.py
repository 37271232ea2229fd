"""External hosts: sidecar → mTLS → egress gateway → the host, with an AuthorizationPolicy for who may use each.

All of them share one port of the egress gateway and are told apart by SNI (istio.io, "Egress Gateways"). A host has two
names: its own, which the callers' sidecars know at the port that applications call, and one that leads outside, for
the gateway alone: no sidecar knows a way past it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sohistio.model.outside import OutsideProtocol, OutsideTls
from sohistio.model.policy import GatewayPlace, Policy
from sohistio.model.policy_traffic import ExternalHost
from sohistio.policy.objects import DRY_RUN, GATEWAYS_PORT, ROOT, SUPPRESS, Object, made, selector, slug, without_empty


def egress_objects(policy: Policy) -> Iterator[Object]:
    """In the order in which they are applied: who may use a host before the way to it."""
    if policy.egress is None or not policy.egress.hosts:
        return
    hosts, gateway = policy.egress.hosts, policy.egress_gateway
    for host in hosts:
        yield made("ServiceEntry", ROOT, _name(host), _known_to_callers(host))
        yield made("ServiceEntry", ROOT, f"{_name(host)}-outside", _known_to_the_gateway(host, gateway))
    yield made("DestinationRule", ROOT, "egress-gateway", _to_the_gateway(hosts, gateway))
    for host in hosts:
        if host.tls is OutsideTls.ORIGINATE:
            rule = made("DestinationRule", ROOT, _name(host), _originated(host, gateway))
            if host.ca_credential:  # istioctl's analysis does not see that the Secret has the authority
                rule["metadata"]["annotations"] = {SUPPRESS: "IST0129"}
            yield rule
    for host in hosts:
        allowed = made("AuthorizationPolicy", ROOT, _name(host), _allowed(host, gateway))
        if policy.is_audit:
            allowed["metadata"]["annotations"] = {DRY_RUN: "true"}
        yield allowed
    yield from (made("Gateway", ROOT, _name(host), _gateway(host, gateway)) for host in hosts)
    yield from (made("VirtualService", ROOT, _name(host), _virtual_service(host, gateway)) for host in hosts)


def is_egress(name: str) -> bool:
    """Whether an object of this name is one of these."""
    return name.startswith("egress-")


def _name(host: ExternalHost) -> str:
    return f"egress-{slug(host.host)}"


def _outside(host: ExternalHost) -> str:
    """The name that the gateway has for it; the top-level domain is one that nobody else has (ICANN, 2024)."""
    return f"{slug(host.host)}.egress.internal"


def _known_to_callers(host: ExternalHost) -> Object:
    port = {"number": host.application_port, "name": "called", "protocol": _called_protocol(host)}
    return _entry(host, host.host, port, list(host.callers)) | (
        {"addresses": list(host.addresses)} if host.addresses else {}
    )


def _known_to_the_gateway(host: ExternalHost, gateway: GatewayPlace) -> Object:
    port = {"number": host.port, "name": "outside", "protocol": _outside_protocol(host)}
    return _entry(host, _outside(host), port, [gateway.namespace])


def _entry(host: ExternalHost, name: str, port: Object, exported: list[str]) -> Object:
    addresses = host.addresses or (host.host,)
    return {
        "hosts": [name],
        "location": "MESH_EXTERNAL",
        "exportTo": exported,
        "ports": [port],
        "resolution": "STATIC" if host.addresses else "DNS",
        "endpoints": [{"address": address} for address in addresses],
    }


def _called_protocol(host: ExternalHost) -> str:
    if host.tls is OutsideTls.PASSTHROUGH:
        return "TLS"
    return "HTTP" if host.protocol is OutsideProtocol.HTTP else "TCP"


def _outside_protocol(host: ExternalHost) -> str:
    if host.tls is OutsideTls.NONE:
        return "HTTP" if host.protocol is OutsideProtocol.HTTP else "TCP"
    return "HTTPS" if _is_http(host) else "TLS"


def _is_http(host: ExternalHost) -> bool:
    """Whether the gateway sees requests: not where the application's own TLS passes through."""
    return host.protocol is OutsideProtocol.HTTP and host.tls is not OutsideTls.PASSTHROUGH


def _to_the_gateway(hosts: tuple[ExternalHost, ...], gateway: GatewayPlace) -> Object:
    return {
        "host": gateway.host,
        "exportTo": sorted({caller for host in hosts for caller in host.callers}),
        "subsets": [
            {
                "name": slug(host.host),
                "trafficPolicy": {
                    "portLevelSettings": [
                        {"port": {"number": GATEWAYS_PORT}, "tls": {"mode": "ISTIO_MUTUAL", "sni": host.host}}
                    ]
                },
            }
            for host in hosts
        ],
    }


def _originated(host: ExternalHost, gateway: GatewayPlace) -> Object:
    """The server's certificate is checked: by an authority of this Secret, else by those that the proxy's image has."""
    authority = {"credentialName": host.ca_credential} if host.ca_credential else {"caCertificates": "system"}
    tls = {"mode": "SIMPLE", "sni": host.host, "subjectAltNames": [host.host]} | authority
    return {
        "host": _outside(host),
        "exportTo": [gateway.namespace],
        "trafficPolicy": {"portLevelSettings": [{"port": {"number": host.port}, "tls": tls}]},
    }


def _allowed(host: ExternalHost, gateway: GatewayPlace) -> Object:
    sources = [
        without_empty(namespaces=list(host.namespaces)),
        without_empty(serviceAccounts=list(host.service_accounts)),
    ]
    rule = {
        "from": [{"source": source} for source in sources if source],
        "when": [{"key": "connection.sni", "values": [host.host]}],
    }
    return {"selector": selector(gateway), "action": "ALLOW", "rules": [rule]}


def _gateway(host: ExternalHost, gateway: GatewayPlace) -> Object:
    port = {"number": GATEWAYS_PORT, "name": "tls", "protocol": "HTTPS" if _is_http(host) else "TLS"}
    server = {"port": port, "hosts": [host.host], "tls": {"mode": "ISTIO_MUTUAL"}}
    return {"selector": dict(gateway.labels), "servers": [server]}


def _virtual_service(host: ExternalHost, gateway: GatewayPlace) -> Object:
    own = f"{ROOT}/{_name(host)}"
    to_gateway = _route(gateway.host, GATEWAYS_PORT, slug(host.host))
    called = {"gateways": ["mesh"], "port": host.application_port}
    arrived = {"gateways": [own], "port": GATEWAYS_PORT}
    spec: dict[str, Any] = {
        "hosts": [host.host],
        "exportTo": sorted({gateway.namespace, *host.callers}),
        "gateways": ["mesh", own],
    }
    outside = {"match": [arrived], "route": [_route(_outside(host), host.port)]}
    if _is_http(host):
        return spec | {"http": [{"match": [called], "route": [to_gateway]}, outside]}
    if host.tls is OutsideTls.PASSTHROUGH:
        by_name = called | {"sniHosts": [host.host]}
        return spec | {"tls": [{"match": [by_name], "route": [to_gateway]}], "tcp": [outside]}
    return spec | {"tcp": [{"match": [called], "route": [to_gateway]}, outside]}


def _route(host: str, port: int, subset: str = "") -> Object:
    return {"destination": without_empty(host=host, subset=subset, port={"number": port})}
