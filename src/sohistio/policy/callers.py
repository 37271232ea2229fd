"""Whom the rules of `policy.workloads` would refuse: callers of the last day, and the ingress gateway. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sohistio.model.fault import Fault, Severity
from sohistio.model.policy_access import WorkloadAccess
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names
from sohistio.policy.let_in import Client, lets_in
from sohistio.policy.objects import ROOT
from sohistio.policy.running import Running, behind
from sohistio.policy.served_hosts import served_hosts
from sohistio.policy.surroundings import Surroundings

_MOST = 6
_HINT = "Add a rule for {} to policy.workloads, or tell their owners before."


def refused_callers(seen: Surroundings) -> Iterator[Fault]:
    """One error for each workload, with the callers that no rule lets in and that are let in today."""
    closed = [item for item in seen.workloads if seen.has_sidecar(item) and _is_closed(item, seen.policy.workloads)]
    refused: dict[ObjectRef, list[str]] = defaultdict(list)
    for call in seen.traffic.calls if seen.traffic else ():
        server = seen.named(call.destination.namespace, call.destination.workload)
        if server is None or server not in closed:
            continue
        client = Client.of_principal(call.source.principal)
        if _newly_refused(seen, server, client, tcp=call.tcp):
            what = "connections" if call.tcp else "requests"
            refused[server.ref].append(f"{_named(call.source.principal, str(call.source))} ({call.count} {what})")
    for ref, callers in refused.items():
        message = f"{ref} was called in the last day by {first_names(sorted(callers), _MOST)}"
        hint = _HINT.format("them")
        yield Fault(f"policy.workloads would refuse them: {message}; no rule lets them in", hint, Severity.ERROR)
    yield from _of_the_gateway(seen, closed)


def _of_the_gateway(seen: Surroundings, closed: Sequence[Running]) -> Iterator[Fault]:
    """What a VirtualService leads from the ingress gateway to a closed workload comes with the gateway's identity."""
    place = seen.policy.ingress_gateway
    labels = dict(place.labels)
    gateways = [item for item in seen.workloads if item.gateway and labels.items() <= item.labels.items()]
    account = gateways[0].service_account if gateways else f"{place.name}-service-account"
    client = Client.of_account(place.namespace, account)
    for ref in sorted({item.by for item in served_hosts(seen.coming, labels)}):
        refused = {
            str(server.ref)
            for namespace, name in _destinations(ref, seen.coming[ref].get("spec") or {})
            if (service := seen.service(namespace, name)) is not None
            for server in behind(service, closed)
            if _newly_refused(seen, server, client)
        }
        if refused:
            message = f"{ref} leads from the ingress gateway to {first_names(sorted(refused), _MOST)}"
            hint = _HINT.format(f"serviceAccounts: [{place.namespace}/{account}]")
            text = f"policy.workloads would refuse the gateway: {message}; no rule lets it in"
            yield Fault(text, hint, Severity.ERROR if ref in seen.live else Severity.WARNING)


def _newly_refused(seen: Surroundings, server: Running, client: Client, *, tcp: bool = False) -> bool:
    return lets_in(seen.live, server, client, tcp=tcp) and not lets_in(seen.coming, server, client, tcp=tcp)


def _is_closed(workload: Running, declared: Sequence[WorkloadAccess]) -> bool:
    return any(
        access.namespace == workload.namespace and dict(access.labels).items() <= workload.labels.items()
        for access in declared
    )


def _named(principal: str, workload: str) -> str:
    return f"{workload} as {principal}" if principal and principal != workload else workload


def _destinations(ref: ObjectRef, spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The Services that it routes to, as namespace and name."""
    for kind in ("http", "tcp", "tls"):
        for rule in spec.get(kind) or ():
            for route in rule.get("route") or ():
                host = str((route.get("destination") or {}).get("host", ""))
                name, _, rest = host.partition(".")
                yield rest.partition(".")[0] or (ref.namespace or ROOT), name
