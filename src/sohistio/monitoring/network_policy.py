"""Who may call a program of monitoring, and whom it may call. Pure.

A cluster without a network policy engine takes these objects, and enforces nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from sohistio.model.policy import GatewayPlace
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.monitoring.installation import Installation
from sohistio.monitoring.objects import NAME, Object, Port, Program, made


def network_policy(installation: Installation, program: Program) -> Object:
    """Who may call it, and whom it may call."""
    ingress = [
        {"from": callers, "ports": [_tcp(port.number)]} if callers else {"ports": [_tcp(port.number)]}
        for port in program.ports
        if (callers := _callers(installation, port)) or port.everybody
    ]
    spec: Object = {"podSelector": {"matchLabels": {NAME: program.part.value}}, "policyTypes": ["Ingress"]}
    spec["ingress"] = ingress
    if program.calls is not None:
        spec["policyTypes"] = ["Ingress", "Egress"]
        spec["egress"] = [
            *(
                [{"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}]
                if program.calls
                else []
            ),
            *({"to": [_pods({NAME: part.value})]} for part in program.calls),
        ]
    return made(installation.environment, "networking.k8s.io/v1", "NetworkPolicy", program.part.value, spec)


def _callers(installation: Installation, port: Port) -> list[Object]:
    if port.everybody:
        return []
    there = [part for part in port.callers if part in installation.monitoring.parts]
    found = [_pods({NAME: part.value}) for part in there]
    gateways: tuple[GatewayPlace, ...] = installation.exposing if port.gateways else ()
    return [*found, *(_pods(dict(gateway.labels), gateway.namespace) for gateway in gateways)]


def _pods(labels: Mapping[str, str], namespace: str = "") -> Object:
    found: Object = {"podSelector": {"matchLabels": dict(labels)}}
    if namespace and namespace != ISTIO_NAMESPACE:
        found["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return found


def _tcp(port: int) -> Object:
    return {"protocol": "TCP", "port": port}
