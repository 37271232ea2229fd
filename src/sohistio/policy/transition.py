"""Hosts that are closed no longer: they stay as they were until what routes to them is gone. Pure.

A route may go with the same change. Opened first, a host would be open to everybody for as long as the route is there:
for ever, where the run breaks off in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from sohistio.policy.objects import DRY_RUN, ROOT, Object

GUARD = "ingress-hosts"
"""What the names of the policies begin with that close hosts of an ingress gateway."""
ROUTES = ("VirtualService", "Gateway")
"""What makes the ingress gateway serve a host."""


def is_guard(kind: str, namespace: str, name: str) -> bool:
    """Whether an object is one of them."""
    return kind == "AuthorizationPolicy" and namespace == ROOT and name.startswith(GUARD)


def still_closed(wanted: Object, live: Mapping[str, Any]) -> Object | None:
    """The wanted guard, with the hosts closed that the live one closes and it does not, by the live one's rules.

    None where it opens none.
    """
    spec = live.get("spec") or {}
    old, new = _closed(spec), _closed(wanted["spec"])
    opened = sorted(old - new)
    if not opened:
        return None
    kept = deepcopy(wanted)
    if DRY_RUN not in (live["metadata"].get("annotations") or {}):  # what refuses now refuses until then
        kept["metadata"].get("annotations", {}).pop(DRY_RUN, None)
    rules = kept["spec"]["rules"]
    rules[0] = {"to": [{"operation": {"notHosts": sorted(old | new)}}]}
    rules += [_narrowed(rule, opened) for rule in spec.get("rules") or () if _hosts(rule) & set(opened)]
    return kept


def opened_hosts(wanted: Object, live: Mapping[str, Any]) -> tuple[str, ...]:
    """The hosts that it opens, without the ways to write them."""
    opened = _closed(live.get("spec") or {}) - _closed(wanted["spec"])
    return tuple(sorted(host for host in opened if not host.endswith((":*", "."))))


def _closed(spec: Mapping[str, Any]) -> set[str]:
    """The hosts that the policy's first rule does not let in."""
    return {
        host
        for rule in spec.get("rules") or ()
        for to in rule.get("to") or ()
        for host in (to.get("operation") or {}).get("notHosts") or ()
    }


def _narrowed(rule: Mapping[str, Any], hosts: Sequence[str]) -> Object:
    """The rule for these hosts alone: the others have new ones."""
    found: Object = deepcopy(dict(rule))
    for to in found["to"]:
        to["operation"]["hosts"] = [host for host in to["operation"]["hosts"] if host in hosts]
    return found


def _hosts(rule: Mapping[str, Any]) -> set[str]:
    return {host for to in rule.get("to") or () for host in (to.get("operation") or {}).get("hosts") or ()}
