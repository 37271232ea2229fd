"""The words of an uninstall's plan: what stays, what is lost, what running sidecars are left with."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.model.ending import sentence
from sohistio.model.footprint import Footprint, Removal
from sohistio.model.monitoring import GRAFANA_ADMIN, Part
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, ObjectRef
from sohistio.model.words import first_names
from sohistio.modes.namespaces import labelled_by_sohistio
from sohistio.modes.planner import Subject

_MOST_NAMED = 10
_AUTHORITY_LOST = (
    "deleted for good: the backup has the custom resources, not the CA's key (--include-ca adds it, encrypted); "
    "what still runs with a certificate of this CA will trust no later mesh"
)
_AUTHORITY_KEPT = (
    "deleted: the backup has the custom resources and the CA's key, encrypted; what still runs with a certificate of "
    "this CA trusts a later mesh only after `sohistio restore --ca`, before that mesh is installed"
)


def notices_of(subject: Subject, footprint: Footprint, asked: Removal, *, took: bool) -> list[str]:
    """What a reader should know before it is done; `took` where the mesh itself goes."""
    state, notices = subject.state, []
    if asked.purge:
        notices.append(_AUTHORITY_KEPT if asked.include_ca else _AUTHORITY_LOST)
        if disks := _disks(footprint):
            notices.append(f"deleted for good: {disks}")
        if footprint.others:
            notices.append(f"namespace {ISTIO_NAMESPACE} also takes what is not the mesh's: {_names(footprint.others)}")
    else:
        record = "the record (`sohistio history`)"
        parts = (kept(footprint), _disks(footprint), _prepared(state, footprint), record)
        notices.append(f"kept: {', '.join(part for part in parts if part)}")
    notices += being_deleted(state, footprint)
    for service in state.gateway_services:
        if took and service.addresses:
            notices.append(
                f"Service {service.ref.short} goes: nothing answers at {', '.join(service.addresses)}, "
                "and the address is free for others to take"
            )
    if proxies(state):
        notices.append(
            f"{count(proxies(state), 'running pod')} with a proxy ({_names(_carriers(state))}) lose the "
            f"control plane{' until they are restarted' if asked.restart_workloads else ''}: they go on with the "
            "configuration they have, can renew no certificate (calls between them fail within 24 h), and one that its "
            "node starts again hangs on ConfigMap istio-ca-root-cert"
        )
        if not asked.restart_workloads:
            notices.append(offer(subject.environment))
    return notices


def being_deleted(state: ClusterState, footprint: Footprint) -> tuple[str, ...]:
    """Of what is counted as there, what will not be for long."""
    ending = (*state.ending, *footprint.ending)
    return (sentence(ending),) if ending else ()


def restart_command(environment: str) -> str:
    """What takes the sidecars out, also after the mesh is gone."""
    return f"sohistio uninstall --env {environment} --with-sidecars --restart-workloads"


def offer(environment: str) -> str:
    """How the sidecars go."""
    return f"sidecars go when their workloads are restarted: `{restart_command(environment)}`"


def kept(footprint: Footprint) -> str:
    """What an uninstall leaves in the cluster; empty where there is nothing of it."""
    parts = [f"{count(len(footprint.crds), 'CRD')} with {resources(footprint)}"] if footprint.crds else []
    parts += [f"Secret {ref.name}" for ref in footprint.ca_secrets]
    if footprint.namespace:
        parts.append(f"namespace {ISTIO_NAMESPACE}")
    return ", ".join(parts)


def kept_of_monitoring(footprint: Footprint) -> tuple[ObjectRef, ...]:
    """Disks, and the password that Grafana's database has, which is on one."""
    refs = [item.ref for item in footprint.monitoring]
    disks = [ref for ref in refs if ref.kind == "PersistentVolumeClaim"]
    has_password = GRAFANA_ADMIN in refs and any(ref.name == Part.GRAFANA for ref in disks)
    return (*disks, *((GRAFANA_ADMIN,) if has_password else ()))


def _disks(footprint: Footprint) -> str:
    """What monitoring keeps its data on."""
    refs = kept_of_monitoring(footprint)
    return f"the data of monitoring ({_names(refs)})" if refs else ""


def _prepared(state: ClusterState, footprint: Footprint) -> str:
    """What sohistio put into namespaces for the mesh; empty where there is nothing of it."""
    labelled = labelled_by_sohistio(state)
    parts = [f"the label istio-injection of {', '.join(labelled)}"] if labelled else []
    if footprint.pull_secrets:
        parts.append(count(len(footprint.pull_secrets), "pull Secret"))
    return ", ".join(parts)


def resources(footprint: Footprint) -> str:
    """`7 custom resources`."""
    return count(footprint.custom_resources, "custom resource")


def kinds(refs: Sequence[ObjectRef]) -> str:
    """`3 ConfigMaps, 1 Lease`."""
    found = sorted({ref.kind for ref in refs})
    return ", ".join(count(sum(ref.kind == kind for ref in refs), kind) for kind in found)


def _names(refs: Sequence[ObjectRef]) -> str:
    return first_names([f"{ref.kind} {ref.short}" for ref in refs], _MOST_NAMED)


def count(number: int, noun: str) -> str:
    """`1 pod`, `2 pods`, `2 NetworkPolicies`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def proxy_lines(state: ClusterState) -> tuple[str, ...]:
    """What runs with a proxy of the mesh: `Deployment shop/web: 2 pods`."""
    lines = [f"{workload.ref}: {count(len(workload.pods), 'pod')}" for workload in state.carriers]
    return (*lines, *(f"{ref}: no workload owns it" for ref in state.unowned_carriers))


def proxies(state: ClusterState) -> int:
    """How many running pods carry a proxy, beside the mesh's own gateways."""
    return sum(len(workload.pods) for workload in state.carriers) + len(state.unowned_carriers)


def _carriers(state: ClusterState) -> list[ObjectRef]:
    return [*(workload.ref for workload in state.carriers), *state.unowned_carriers]
