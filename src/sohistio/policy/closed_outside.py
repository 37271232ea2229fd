"""External hosts that `egress.mode: registryOnly` would close though workloads are given them, or call them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from sohistio.model.fault import Fault, Severity
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names
from sohistio.policy.objects import ROOT
from sohistio.policy.outside_hosts import OutsideHost, is_in_cluster, outside_hosts
from sohistio.policy.running import RawObject, Running
from sohistio.policy.served_hosts import overlap
from sohistio.policy.surroundings import SYSTEM, Surroundings, of_kind

_MOST = 6
_DECLARE = "Declare what they need in policy.egress.hosts for namespace {}, or tell their owners."


def closed_outside(seen: Surroundings) -> Iterator[Fault]:
    """What the declared hosts miss. They are looked at even where nothing changes: `_unguarded`."""
    yield from _unguarded(seen)
    if not seen.closes_outside:
        return
    yield from _observed(seen)
    yield from _given(seen)
    yield from _external_names(seen)


def _observed(seen: Surroundings) -> Iterator[Fault]:
    """Calls of the last day that left the mesh by the way that is closed; the metrics do not know the hosts."""
    declared = {name for host in (seen.policy.egress.hosts if seen.policy.egress else ()) for name in host.callers}
    counts: dict[tuple[str, str], int] = defaultdict(int)
    kept = _kept_open(seen)
    for call in seen.traffic.passthrough if seen.traffic else ():
        if not kept(call.source.namespace):
            counts[call.source.namespace, str(call.source)] += call.count
    for (place, source), count in sorted(counts.items()):
        calls = f"{source} made {count} calls of the last day to external hosts that no registry has"
        hint = _DECLARE.format(place) + " Its arguments and its proxy's access log say which they are."
        if place in declared:
            text = f"policy.egress may close some: {calls}; hosts are declared for {place}, and these may be other ones"
            yield Fault(text, hint, Severity.WARNING)
        else:
            text = (
                f"policy.egress would close them: {calls}, and none is declared for {place}; metrics do not name them"
            )
            yield Fault(text, hint, Severity.ERROR)


def _given(seen: Surroundings) -> Iterator[Fault]:
    """Hosts in arguments and environment variables, by workload. Values are never shown, hosts alone."""
    addresses = {str(service["spec"].get("clusterIP", "")) for service in seen.services}
    services = {(item["metadata"]["namespace"], item["metadata"]["name"]) for item in seen.services}
    kept = _kept_open(seen)
    for workload in seen.workloads:
        if not seen.has_sidecar(workload) or workload.gateway or workload.namespace in SYSTEM:
            continue
        if kept(workload.namespace):
            continue
        found = [
            host
            for host in sorted(outside_hosts(workload.words))
            if host.host not in addresses and not _is_service(host, services)
        ]
        closed = [host for host in found if not _may_call(seen, workload, host)]
        if closed:
            names = first_names([str(host) for host in closed], _MOST)
            message = f"{workload.ref} is given {names}, which nothing declares for {workload.namespace}"
            hint = _DECLARE.format(workload.namespace)
            yield Fault(f"policy.egress would close what it calls of these: {message}", hint, Severity.WARNING)


def _external_names(seen: Surroundings) -> Iterator[Fault]:
    for service in seen.services:
        spec, metadata = service.get("spec") or {}, service["metadata"]
        host = str(spec.get("externalName", "")).rstrip(".").lower()
        if spec.get("type") != "ExternalName" or not host or is_in_cluster(host):
            continue
        if not _declared_in(seen, metadata["namespace"], OutsideHost(host)):
            message = (
                f"Service {metadata['namespace']}/{metadata['name']} stands for {host}, which nothing declares there"
            )
            hint = _DECLARE.format(metadata["namespace"])
            yield Fault(f"policy.egress would close it: {message}", hint, Severity.WARNING)


def _unguarded(seen: Surroundings) -> Iterator[Fault]:
    """Hosts declared for namespaces without a sidecar: their calls go past the mesh."""
    lacking: dict[str, list[str]] = defaultdict(list)
    there = {item.namespace for item in seen.workloads}
    guarded = {item.namespace for item in seen.workloads if seen.has_sidecar(item)} | seen.injected
    for host in seen.policy.egress.hosts if seen.policy.egress else ():
        for name in host.callers:
            if name in there - guarded:
                lacking[name].append(host.host)
    for name, hosts in sorted(lacking.items()):
        message = (
            f"policy.egress declares {first_names(sorted(set(hosts)), _MOST)} for {name}, whose pods have no sidecar"
        )
        hint = f"Add {name} to applicationNamespaces, or take it out of these hosts."
        yield Fault(f"{message}: nothing restricts what they call", hint, Severity.WARNING)


def _may_call(seen: Surroundings, workload: Running, host: OutsideHost) -> bool:
    """By the registry, and where the policy declares the host also by whom it names."""
    declared = [item for item in (seen.policy.egress.hosts if seen.policy.egress else ()) if item.host == host.host]
    if declared:
        account = f"{workload.namespace}/{workload.service_account}"
        return any(workload.namespace in item.namespaces or account in item.service_accounts for item in declared)
    return _declared_in(seen, workload.namespace, host)


def _declared_in(seen: Surroundings, namespace: str, host: OutsideHost) -> bool:
    """Whether a ServiceEntry that the namespace sees has the host or the address."""
    for ref, obj in of_kind(seen.coming, "ServiceEntry"):
        spec = obj.get("spec") or {}
        if not _is_visible(ref, spec, namespace):
            continue
        known = [*(spec.get("hosts") or ()), *(spec.get("addresses") or ()), *_endpoints(spec)]
        if any(overlap(str(item).lower().removesuffix("/32"), host.host) for item in known):
            return True
    return False


def _endpoints(spec: RawObject) -> Iterator[str]:
    return (str(item.get("address", "")) for item in spec.get("endpoints") or ())


def _is_visible(ref: ObjectRef, spec: RawObject, namespace: str) -> bool:
    exported = spec.get("exportTo") or ("*",)
    return "*" in exported or namespace in exported or ("." in exported and ref.namespace == namespace)


def _kept_open(seen: Surroundings) -> Callable[[str], bool]:
    """Says of a namespace whether a Sidecar of all its workloads, or else of the whole mesh, leaves everything open."""
    modes: dict[str, str] = {}
    for ref, obj in of_kind(seen.live, "Sidecar"):
        spec = obj.get("spec") or {}
        mode = (spec.get("outboundTrafficPolicy") or {}).get("mode")
        if mode and not spec.get("workloadSelector"):
            modes.setdefault(ref.namespace, mode)
    return lambda namespace: modes.get(namespace, modes.get(ROOT)) == "ALLOW_ANY"


def _is_service(host: OutsideHost, services: set[tuple[str, str]]) -> bool:
    """`service.namespace` is a name of the cluster as well."""
    name, _, place = host.host.partition(".")
    return (place, name) in services
