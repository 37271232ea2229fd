"""Whom AuthorizationPolicies of action ALLOW let in at a workload (istio.io, "AuthorizationPolicy").

What these rules say that is not known beforehand, such as addresses or claims, is taken to let in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.state import ObjectRef
from sohistio.policy.objects import DRY_RUN, ROOT, selected_labels
from sohistio.policy.running import RawObject, Running

_OF_REQUESTS = ("paths", "notPaths", "methods", "notMethods", "hosts", "notHosts")


@dataclass(frozen=True, slots=True)
class Client:
    """Who calls: its namespace, its service account and its principal (SPIFFE id without `spiffe://`).

    Empty where it has no identity.
    """

    namespace: str = ""
    service_account: str = ""
    principal: str = ""

    @classmethod
    def of_principal(cls, principal: str) -> Client:
        """By `TRUST-DOMAIN/ns/NAMESPACE/sa/NAME`."""
        parts = principal.split("/")
        if len(parts) == 5 and (parts[1], parts[3]) == ("ns", "sa"):
            return cls(parts[2], parts[4], principal)
        return cls(principal=principal)

    @classmethod
    def of_account(cls, namespace: str, name: str, trust_domain: str = "cluster.local") -> Client:
        """By a ServiceAccount."""
        return cls(namespace, name, f"{trust_domain}/ns/{namespace}/sa/{name}")


def lets_in(objects: Mapping[ObjectRef, RawObject], server: Running, client: Client, *, tcp: bool = False) -> bool:
    """Whether some rule may let the client in; also where no policy closes the server.

    Rules about paths or methods never let a connection in that is not HTTP.
    """
    found = [obj for ref, obj in objects.items() if _closes(ref, obj, server)]
    return not found or any(
        _rule_lets_in(rule, obj["metadata"]["namespace"], client, tcp=tcp)
        for obj in found
        for rule in (obj.get("spec") or {}).get("rules") or ()
    )


def _closes(ref: ObjectRef, obj: RawObject, server: Running) -> bool:
    spec = obj.get("spec") or {}
    if ref.kind != "AuthorizationPolicy" or spec.get("action", "ALLOW") != "ALLOW" or spec.get("targetRefs"):
        return False
    if (obj["metadata"].get("annotations") or {}).get(DRY_RUN) == "true" or ref.namespace not in (
        ROOT,
        server.namespace,
    ):
        return False
    return selected_labels(spec).items() <= server.labels.items()


def _rule_lets_in(rule: Mapping[str, Any], place: str, client: Client, *, tcp: bool) -> bool:
    operations = [item.get("operation") or {} for item in rule.get("to") or ()]
    if tcp and operations and all(any(key in operation for key in _OF_REQUESTS) for operation in operations):
        return False
    sources = [item.get("source") or {} for item in rule.get("from") or ()]
    return not sources or any(_source_matches(source, place, client) for source in sources)


def _source_matches(source: Mapping[str, Any], place: str, client: Client) -> bool:
    accounts = [name if "/" in name else f"{place}/{name}" for name in source.get("serviceAccounts") or ()]
    principals = [_without_trust_domain(pattern) for pattern in source.get("principals") or ()]
    asked: Iterable[tuple[str, Sequence[str], str]] = (
        ("principals", principals, _without_trust_domain(client.principal)),
        ("namespaces", source.get("namespaces") or (), client.namespace),
        ("serviceAccounts", accounts, f"{client.namespace}/{client.service_account}"),
    )
    return all(
        any(matches(pattern, value) for pattern in patterns) and bool(client.principal)
        for key, patterns, value in asked
        if key in source
    )


def _without_trust_domain(principal: str) -> str:
    """`cluster.local` stands for the mesh's own, whatever that is."""
    domain, slash, rest = principal.partition("/")
    return rest if slash and "*" not in domain else principal


def matches(pattern: str, value: str) -> bool:
    """As Istio compares: exactly, by prefix (`a*`), by suffix (`*a`), or that there is one (`*`)."""
    if pattern == "*":
        return bool(value)
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return pattern == value
