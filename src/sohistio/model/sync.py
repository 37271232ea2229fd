"""What a standby's environment declares about `sohistio sync`: which texts differ in the two regions, and what is left
out. Plain data and its pure rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sohistio.model.state import ObjectRef

SYNCED_FROM = "sohistio/synced-from"
"""The label on every object that sync created, with the environment it came from: nothing else is ever pruned."""

_ISTIOS_KINDS = (
    *("AuthorizationPolicy", "DestinationRule", "EnvoyFilter", "Gateway", "PeerAuthentication", "ProxyConfig"),
    *("RequestAuthentication", "ServiceEntry", "Sidecar", "Telemetry", "TrafficExtension", "VirtualService"),
    *("WasmPlugin", "WorkloadEntry", "WorkloadGroup"),
)
_GATEWAY_APIS_KINDS = {
    "gateway.networking.k8s.io": (
        *("BackendTLSPolicy", "GRPCRoute", "Gateway", "GatewayClass", "HTTPRoute", "ListenerSet", "ReferenceGrant"),
        *("TCPRoute", "TLSRoute", "UDPRoute"),
    ),
    "gateway.networking.x-k8s.io": ("XBackend", "XBackendTrafficPolicy", "XListenerSet", "XMesh"),
}
COMPARED_KINDS = frozenset(
    {"Secret", *_ISTIOS_KINDS}
    | {name for group, kinds in _GATEWAY_APIS_KINDS.items() for kind in kinds for name in (kind, f"{kind}.{group}")}
)
"""What an exclusion may name: Istio's kinds (of 1.31), the Gateway API's (with their group or without), and Secret (of
certificates)."""

# What a name or an address goes on with: next to one of these a text is part of another, longer one.
_INSIDE_A_WORD = r"[A-Za-z0-9_-]"


@dataclass(frozen=True, slots=True)
class Substitution:
    """A text of the source and what stands for it in the standby, such as a domain or an address."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Objects that are not compared: patterns as of a shell (`payments-*`), case-sensitive."""

    kind: str = "*"
    namespace: str = "*"
    name: str = "*"

    def __str__(self) -> str:
        """As the environment's file has it: `kind: EnvoyFilter, name: region-*`."""
        parts = (("kind", self.kind), ("namespace", self.namespace), ("name", self.name))
        return ", ".join(f"{key}: {value}" for key, value in parts if value != "*")

    def matches(self, ref: ObjectRef) -> bool:
        """Whether the object is left out. A kind of the Gateway API matches with its group and without."""
        kinds = (ref.kind, ref.kind.partition(".")[0])
        return (
            any(fnmatchcase(kind, self.kind) for kind in kinds)
            and fnmatchcase(ref.namespace, self.namespace)
            and fnmatchcase(ref.name, self.name)
        )


@dataclass(frozen=True, slots=True)
class SyncRules:
    """All that the environment declares."""

    substitutions: tuple[Substitution, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    def excludes(self, ref: ObjectRef) -> bool:
        """Whether the object is left out of the comparison."""
        return any(exclusion.matches(ref) for exclusion in self.exclusions)

    def substituted(self, value: Any) -> Any:
        """The value as the standby should have it: every text in it, at any depth, keys excepted.

        A text is replaced where it stands for itself: `prod.example.com` in `api.prod.example.com` and in
        `https://prod.example.com/x`, but not in `preprod.example.com`, nor `10.0.0.1` in `10.0.0.10`. The longest comes
        first, and what was replaced is not looked at again.
        """
        if not self.substitutions:
            return value
        new = {item.old: item.new for item in self.substitutions}
        texts = "|".join(re.escape(text) for text in sorted(new, key=len, reverse=True))
        return _replaced(value, re.compile(f"(?<!{_INSIDE_A_WORD})(?:{texts})(?!{_INSIDE_A_WORD})"), new)


def _replaced(value: Any, pattern: re.Pattern[str], new: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return pattern.sub(lambda match: new[match[0]], value)
    if isinstance(value, Mapping):
        return {key: _replaced(item, pattern, new) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, pattern, new) for item in value]
    return value
