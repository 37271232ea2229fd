"""Whom STRICT would cut off: clients without a sidecar, and what leads to a sidecar's pods past the mesh. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sohistio.model.fault import Fault, Severity
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names
from sohistio.policy.ingresses import class_of, is_served_by_istio
from sohistio.policy.objects import service_host
from sohistio.policy.outside_hosts import named_hosts
from sohistio.policy.running import RawObject, Running, behind, target_port
from sohistio.policy.surroundings import SYSTEM, Surroundings, namespaces_of, of_kind

_MOST = 6
_PERMISSIVE = "list {} in policy.mtls.permissive until they have one."
_OTHER_TLS = ("DISABLE", "SIMPLE", "MUTUAL")


def cut_off(seen: Surroundings) -> Iterator[Fault]:
    """Nothing where no workload that takes plaintext today would refuse it."""
    if not seen.closing:
        return
    yield from _observed(seen)
    yield from _services(seen)
    yield from _ingresses(seen)
    yield from _destination_rules(seen)
    yield from _without_sidecar(seen)


def _observed(seen: Surroundings) -> Iterator[Fault]:
    """Plaintext of the last day."""
    calls = seen.traffic.plaintext if seen.traffic else ()
    by_destination: dict[ObjectRef, list[str]] = defaultdict(list)
    for call in calls:
        found = seen.named(call.destination.namespace, call.destination.workload)
        if found is not None and seen.closes(found):
            what = "connections" if call.tcp else "requests"
            by_destination[found.ref].append(f"{call.source} ({call.count} {what})")
    for destination, sources in by_destination.items():
        message = f"{destination} took plaintext in the last day, from {first_names(sources, _MOST)}"
        hint = "Give the clients a sidecar, or " + _PERMISSIVE.format(destination.namespace)
        yield Fault(f"policy.mtls would cut them off: {message}", hint, Severity.ERROR)


def _services(seen: Surroundings) -> Iterator[Fault]:
    """Whoever comes from outside the cluster has no certificate of the mesh."""
    for service in seen.services:
        spec = service.get("spec") or {}
        if spec.get("type") not in ("LoadBalancer", "NodePort"):
            continue
        if found := _closed_behind(seen, service):
            name, place = service["metadata"]["name"], service["metadata"]["namespace"]
            message = f"Service {place}/{name} ({spec['type']}) leads from outside the cluster to {found}"
            hint = (
                f"Let it come through the ingress gateway (policy.ingress), or list {place} in policy.mtls.permissive."
            )
            yield Fault(f"policy.mtls would close it: {message}, past every gateway", hint, Severity.ERROR)


def _ingresses(seen: Surroundings) -> Iterator[Fault]:
    for ingress in seen.ingresses:
        place = ingress["metadata"]["namespace"]
        found = sorted({words for backend in _backends(ingress) if (words := _of_backend(seen, place, backend))})
        if not found or is_served_by_istio(ingress, seen.ingress_controllers):
            continue
        controller = seen.ingress_controllers.get(class_of(ingress), "")
        pods = [item for item in seen.workloads if controller and any(controller in value for _, value in item.words)]
        if pods and all(seen.has_sidecar(item) for item in pods):
            continue
        certain = bool(pods)
        sender = (
            f"{pods[0].ref}, which has no sidecar" if certain else "a controller that is not known to have a sidecar"
        )
        message = f"Ingress {place}/{ingress['metadata']['name']} leads to {first_names(found, _MOST)} from {sender}"
        hint = f"Expose it at the ingress gateway (policy.ingress), or list {place} in policy.mtls.permissive."
        yield Fault(f"policy.mtls would close it: {message}", hint, Severity.ERROR if certain else Severity.WARNING)


def _destination_rules(seen: Surroundings) -> Iterator[Fault]:
    """A rule that switches mTLS off makes a client with a sidecar send plaintext, or TLS that is not the mesh's."""
    places = namespaces_of(seen.closing)
    for ref, rule in of_kind(seen.coming, "DestinationRule"):
        spec = rule.get("spec") or {}
        host = str(spec.get("host", ""))
        full = host if "." in host else service_host(host, ref.namespace)
        service, place = _service_of(full)
        modes = sorted(set(_tls_modes(spec)) & set(_OTHER_TLS))
        if not modes or place not in places:
            continue
        live = seen.service(place, service)
        if service == "*" or (live is not None and any(seen.closes(item) for item in behind(live, seen.workloads))):
            message = f"{ref} has clients call {full} with TLS mode {', '.join(modes)}, which its sidecars would refuse"
            yield Fault(f"policy.mtls would cut them off: {message}", "Take `tls` out of it.", Severity.ERROR)


def _without_sidecar(seen: Surroundings) -> Iterator[Fault]:
    """Who would be cut off if it calls: nobody guesses whom it calls, but for a host that it is given."""
    lacking = [item for item in seen.workloads if not seen.has_sidecar(item) and item.namespace not in SYSTEM]
    places = namespaces_of(seen.closing)
    rest: list[Running] = []
    for item in lacking:
        if called := sorted({host for host in _called(seen, item) if host}):
            message = f"{item.ref} has no sidecar, and is given {first_names(called, _MOST)} to call"
            hint = "Give it a sidecar, or " + _PERMISSIVE.format(
                " and ".join(sorted({h.split(".")[1] for h in called}))
            )
            yield Fault(f"policy.mtls would cut it off if it calls there: {message}", hint, Severity.WARNING)
        else:
            rest.append(item)
    where = first_names(places, _MOST)
    for inside, words in ((True, "in namespaces of the mesh"), (False, "outside the mesh")):
        if names := [str(item.ref) for item in rest if (item.namespace in seen.injected) is inside]:
            message = f"without a sidecar, {words}: {first_names(names, _MOST)}"
            hint = f"If they call {where}: give them a sidecar, or list these namespaces in policy.mtls.permissive."
            yield Fault(f"policy.mtls would cut them off if they call {where}: {message}", hint, Severity.WARNING)


def _called(seen: Surroundings, client: Running) -> Iterator[str]:
    """The Services of sidecars that close, by the hosts in its arguments and environment."""
    for found in named_hosts(client.words):
        name, place = _service_of(found.host)
        service = seen.service(place, name)
        if service is not None and any(seen.closes(item) for item in behind(service, seen.workloads)):
            yield f"{name}.{place}"


def _service_of(host: str) -> tuple[str, str]:
    """The name and the namespace of the Service that a host is a name of; both empty where it is none."""
    name, _, rest = host.partition(".")
    place = rest.partition(".")[0]
    return (name, place) if rest in (place, f"{place}.svc", f"{place}.svc.cluster.local") else ("", "")


def _closed_behind(seen: Surroundings, service: RawObject, port: Any = None) -> str:
    """The first workload behind a Service that would refuse its plaintext; empty where there is none."""
    ports = [item for item in service["spec"].get("ports") or () if port in (None, item.get("port"), item.get("name"))]
    for workload in behind(service, seen.workloads):
        if seen.has_sidecar(workload) and any(seen.closes(workload, target_port(item, workload)) for item in ports):
            return str(workload.ref)
    return ""


def _of_backend(seen: Surroundings, place: str, backend: Mapping[str, Any]) -> str:
    named = backend.get("service") or {}
    service, port = seen.service(place, named.get("name", "")), named.get("port") or {}
    if service is None:
        return ""
    return _closed_behind(seen, service, port.get("number") or port.get("name"))


def _backends(ingress: RawObject) -> Iterator[Mapping[str, Any]]:
    spec = ingress.get("spec") or {}
    if "defaultBackend" in spec:
        yield spec["defaultBackend"]
    for rule in spec.get("rules") or ():
        yield from (path["backend"] for path in (rule.get("http") or {}).get("paths") or ())


def _tls_modes(spec: Mapping[str, Any]) -> Iterator[str]:
    policies = [
        spec.get("trafficPolicy") or {},
        *(item.get("trafficPolicy") or {} for item in spec.get("subsets") or ()),
    ]
    for policy in policies:
        for settings in (policy, *(policy.get("portLevelSettings") or ())):
            if mode := (settings.get("tls") or {}).get("mode"):
                yield str(mode)
