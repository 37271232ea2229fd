"""Hosts that the rules of `policy.hosts` would close though they are served, and rules for what nobody serves. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.model.fault import Fault, Severity
from sohistio.model.policy_access import HostAccess, Operation
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names
from sohistio.plan.changes import ref_of
from sohistio.policy.ingresses import is_served_by_istio
from sohistio.policy.objects import ROOT, selected_labels
from sohistio.policy.served_hosts import Match, Served, overlap, served_hosts
from sohistio.policy.surroundings import Surroundings, of_kind

_MOST = 6


def closed_hosts(seen: Surroundings) -> Iterator[Fault]:
    """Nothing where the gateway has these rules already."""
    if not seen.policy.hosts or _in_force(seen):
        return
    served = [*served_hosts(seen.coming, dict(seen.policy.ingress_gateway.labels)), *_of_ingresses(seen)]
    tokens = bool(seen.policy.jwt) or any(_takes_tokens(seen))
    for access in seen.policy.hosts:
        for host in access.hosts:
            found = [item for item in served if overlap(item.host, host.lower())]
            if not found:
                message = f"policy.hosts has rules for {host}, which no VirtualService routes at the ingress gateway"
                hint = "Is it spelled as in the Gateway? Without a route nobody can call it anyway."
                yield Fault(message, hint, Severity.WARNING)
            for item in found:
                used = item.by.kind == "Ingress" or item.by in seen.live
                for text, hint in _closed(access, host, item, tokens=tokens):
                    yield Fault(text, hint, Severity.ERROR if used else Severity.WARNING)


def _closed(access: HostAccess, host: str, served: Served, *, tokens: bool) -> Iterator[tuple[str, str]]:
    """What is served of a host and no rule lets in, in whole or in part: the message and the hint."""
    rules = [rule for rule in access.allow if rule.anonymous or tokens]
    shut = [match for match in served.matches if not any(_meets(rule.operation, match) for rule in rules)]
    name = host if served.host == host.lower() else f"{served.host} ({host})"
    if not rules or (shut and len(shut) == len(served.matches)):
        why = "no rule lets any request in"
        if not rules and access.allow:
            why = "every rule wants a token, and no issuer is in policy.jwt"
        message = f"policy.hosts would close {name}, which {served.by} serves: {why}"
        yield message, "Add rules for it to policy.hosts, or take the host out."
    elif shut:
        routes = first_names(sorted({str(match) for match in shut}), _MOST)
        message = f"policy.hosts would close routes of {name} in {served.by} that no rule lets in: {routes}"
        yield message, "Add rules for them to policy.hosts, if somebody needs them."


def _in_force(seen: Surroundings) -> bool:
    ref = ObjectRef("AuthorizationPolicy", ROOT, "ingress-hosts")
    wanted = next((obj for obj in seen.wanted if ref_of(obj) == ref), None)
    live = seen.live.get(ref)
    if wanted is None or live is None:
        return False
    return bool(live.get("spec") == wanted["spec"] and not (live["metadata"].get("annotations") or {}))


def _of_ingresses(seen: Surroundings) -> Iterator[Served]:
    """Istio's ingress gateway serves Ingresses of its own class as well."""
    for ingress in seen.ingresses:
        spec = ingress.get("spec") or {}
        if is_served_by_istio(ingress, seen.ingress_controllers):
            ref = ObjectRef("Ingress", ingress["metadata"]["namespace"], ingress["metadata"]["name"])
            yield from (Served(str(rule["host"]).lower(), ref) for rule in spec.get("rules") or () if rule.get("host"))


def _takes_tokens(seen: Surroundings) -> Iterator[bool]:
    labels = dict(seen.policy.ingress_gateway.labels)
    for ref, obj in of_kind(seen.coming, "RequestAuthentication"):
        selected = selected_labels(obj.get("spec") or {})
        yield ref.namespace in (ROOT, seen.policy.ingress_gateway.namespace) and selected.items() <= labels.items()


def _meets(operation: Operation, match: Match) -> bool:
    """Whether some request is both; where that is not certain it is."""
    if operation.methods and match.method and match.method not in operation.methods:
        return False
    return not operation.paths or _paths_meet(operation.paths, match)


def _paths_meet(patterns: Sequence[str], match: Match) -> bool:
    return any(_path_meets(pattern, match) for pattern in patterns)


def _path_meets(pattern: str, match: Match) -> bool:
    if "{" in pattern or pattern.startswith("*") or not (match.exact or match.prefix):
        return True
    fixed = pattern.removesuffix("*")
    if match.exact:
        return match.exact.startswith(fixed) if fixed != pattern else match.exact == pattern
    if fixed != pattern:
        return fixed.startswith(match.prefix) or match.prefix.startswith(fixed)
    return pattern.startswith(match.prefix)
