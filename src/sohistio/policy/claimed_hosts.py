"""Hosts that several Gateways claim at one port of the same gateway. Pure.

Of servers with TLS for the same host istiod takes the oldest Gateway's and leaves the others out; those without are
merged, and so are their routes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from sohistio.model.fault import Fault, Severity
from sohistio.model.policy import policy_label
from sohistio.model.state import ObjectRef
from sohistio.policy.running import RawObject
from sohistio.policy.served_hosts import bare_host
from sohistio.policy.surroundings import of_kind

Objects = Mapping[ObjectRef, RawObject]
_Labels = tuple[tuple[str, str], ...]


def claimed_twice(objects: Objects, known: Collection[ObjectRef] = ()) -> Iterator[Fault]:
    """An error where the policy brings one of them, else a warning. `objects` are there once it is applied, `known` are
    there already."""
    claims: dict[tuple[str, int], list[tuple[ObjectRef, _Labels]]] = defaultdict(list)
    tls: set[int] = set()
    for ref, obj in of_kind(objects, "Gateway"):
        spec = obj.get("spec") or {}
        labels = tuple(sorted((spec.get("selector") or {}).items()))
        for server in spec.get("servers") or ():
            port = int((server.get("port") or {}).get("number", 0))
            if "tls" in server and not server["tls"].get("httpsRedirect"):
                tls.add(port)
            for host in {bare_host(str(name)) for name in server.get("hosts") or ()}:
                claims[host, port].append((ref, labels))
    clashes: dict[tuple[str, tuple[ObjectRef, ...]], list[int]] = defaultdict(list)
    for (host, port), claimants in sorted(claims.items()):
        refs = sorted({ref for ref, labels in claimants if _shares(ref, labels, claimants)})
        if refs:
            clashes[host, tuple(refs)].append(port)
    for (host, found), ports in clashes.items():
        own = [ref for ref in found if policy_label(objects[ref]) is not None and ref not in known]
        yield _fault(host, found, ports, own=bool(own), tls=not tls.isdisjoint(ports))


def _shares(ref: ObjectRef, labels: _Labels, claimants: list[tuple[ObjectRef, _Labels]]) -> bool:
    """Whether another one may be for the same pods: one selector is part of the other."""
    own = set(labels)
    return any(other != ref and (own <= set(theirs) or set(theirs) <= own) for other, theirs in claimants)


def _fault(host: str, refs: tuple[ObjectRef, ...], ports: list[int], *, own: bool, tls: bool) -> Fault:
    effect = "only one of them counts" if tls else "their routes are mixed"
    where = " and ".join(map(str, ports))
    message = f"{host} at port {where} is claimed by {', '.join(map(str, refs))}: {effect}"
    if own:
        return Fault(message, "Delete the other one, or take the host out of policy.ingress.", Severity.ERROR)
    return Fault(message, "Their owners have to agree on one of them.", Severity.WARNING)
