"""Hosts that gateways serve: by Gateways, and by what VirtualServices route there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.state import ObjectRef
from sohistio.policy.running import RawObject
from sohistio.policy.surroundings import of_kind

Objects = Mapping[ObjectRef, RawObject]


@dataclass(frozen=True, slots=True)
class Match:
    """Requests that a route takes: those whose path is `exact`, or begins with `prefix`; any where neither is known.

    An empty method is any.
    """

    exact: str = ""
    prefix: str = ""
    method: str = ""

    def __str__(self) -> str:
        path = self.exact or f"{self.prefix}*" if self.exact or self.prefix else "every path"
        return f"{self.method} {path}".strip()


@dataclass(frozen=True, slots=True)
class Served:
    """A host with the object that routes it and its routes; none for one that is not HTTP."""

    host: str
    by: ObjectRef
    matches: tuple[Match, ...] = ()


def served_hosts(objects: Objects, labels: Mapping[str, str]) -> Iterator[Served]:
    """What VirtualServices route at the gateway whose pods have these labels."""
    gateways = {
        (ref.namespace, ref.name): [host for server in _servers(obj) for host in server.get("hosts") or ()]
        for ref, obj in of_kind(objects, "Gateway")
        if selects(obj, labels)
    }
    for ref, obj in of_kind(objects, "VirtualService"):
        spec = obj.get("spec") or {}
        opened = [
            bare_host(host)
            for name in spec.get("gateways") or ()
            for host in gateways.get(_place(str(name), ref.namespace), ())
        ]
        for host in spec.get("hosts") or ():
            if any(overlap(str(host).lower(), other) for other in opened):
                yield Served(str(host).lower(), ref, tuple(_matches(spec)))


def selects(gateway: RawObject, labels: Mapping[str, str]) -> bool:
    """Whether a Gateway is for pods with these labels."""
    selector = (gateway.get("spec") or {}).get("selector") or {}
    return bool(selector.items() <= labels.items())


def overlap(one: str, other: str) -> bool:
    """Whether some host is meant by both, each of which may begin with `*`."""
    if one == other or "*" in (one, other):
        return True
    if one.startswith("*") and other.startswith("*"):
        return one[1:].endswith(other[1:]) or other[1:].endswith(one[1:])
    if one.startswith("*"):
        return other.endswith(one[1:])
    return other.startswith("*") and one.endswith(other[1:])


def bare_host(host: str) -> str:
    """A host of a Gateway without the namespace that may serve it (`NAMESPACE/HOST`)."""
    return host.rpartition("/")[2].lower()


def _servers(gateway: RawObject) -> Any:
    return (gateway.get("spec") or {}).get("servers") or ()


def _place(name: str, namespace: str) -> tuple[str, str]:
    place, slash, rest = name.partition("/")
    return (place, rest) if slash else (namespace, name)


def _matches(spec: Mapping[str, Any]) -> Iterator[Match]:
    for rule in spec.get("http") or ():
        found: Sequence[Mapping[str, Any]] = rule.get("match") or ({},)
        for item in found:
            uri = item.get("uri") or {}
            method = (item.get("method") or {}).get("exact", "")
            yield Match(uri.get("exact", ""), uri.get("prefix", ""), method)
