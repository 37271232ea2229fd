"""In which order kinds are applied, so that nothing refers to what is not there yet; taken away in reverse. Pure.

Istio's traffic management best practices: a subset is in its DestinationRule before a VirtualService names it. Policies
come before what opens a host, so that it is never open without them.
"""

from __future__ import annotations

_FIRST = (
    "GatewayClass",
    "ReferenceGrant",
    "ProxyConfig",
    "ServiceEntry",
    "WorkloadGroup",
    "WorkloadEntry",
    "DestinationRule",
    "Sidecar",
    "PeerAuthentication",
    "RequestAuthentication",
    "AuthorizationPolicy",
    "Telemetry",
    "EnvoyFilter",
    "WasmPlugin",
    "TrafficExtension",
)
_LAST = ("Gateway", "ListenerSet", "XListenerSet", "VirtualService", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")


def position(kind: str) -> int:
    """A kind's place, with its group or without; what is in no list (a new kind) comes between the two."""
    name = kind.partition(".")[0]
    if name in _FIRST:
        return _FIRST.index(name)
    return len(_FIRST) + 1 + (_LAST.index(name) if name in _LAST else -1)
