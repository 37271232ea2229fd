"""A plan and the cluster that it was made from as a row of `sohistio status`."""

from __future__ import annotations

import time
from dataclasses import replace

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.certificates import signing_certificates
from sohistio.adapters.kubernetes.custom_resources import GATEWAY_KINDS, custom_resources
from sohistio.adapters.kubernetes.lease import holder_of
from sohistio.fleet.row import Certificates, Drift, EnvironmentStatus, Ingress, LastRun, Lock, Sidecars, StandbyStatus
from sohistio.model.ages import DAY
from sohistio.model.certificate import AUTHORITY_DAYS, GATEWAY_DAYS, MeshCertificates
from sohistio.model.failover_mark import Stage
from sohistio.model.mode import Mode
from sohistio.model.record import Record, RunEntry
from sohistio.model.state import ISTIO_NAMESPACE, ClusterState, MeshDeployment
from sohistio.plan.plan import Plan
from sohistio.plan.risk import Risk
from sohistio.plan.steps import RestartWorkloads
from sohistio.planning.planned import Planned
from sohistio.planning.reads import or_refused
from sohistio.planning.session import Session
from sohistio.planning.standby import dns_leads_here
from sohistio.system.times import seconds_since_1970

# What there may be to do to a mesh in sync, by the plan's phases; others are called as they are.
_PENDING = {
    "webhooks": "webhooks that no istiod answers",
    "pull-secrets": "pull secrets",
    "namespaces": "namespaces",
    "sidecars": "restarts",
    "policy-egress": "policy",
    "policy": "policy",
    "record": "verification",
}


def with_plan(session: Session, row: EnvironmentStatus, planned: Planned) -> EnvironmentStatus:
    """The row with all that the plan, the record and the cluster say. Raises RefusedError."""
    plan, record = planned.plan, planned.record
    row = replace(
        row,
        installed=plan.installed_version,
        mode=plan.mode.value,
        pending=_pending(plan),
        refused=bool(plan.refusal),
        drift=_drift(planned),
        sidecars=_sidecars(plan),
        gateways=_gateways(planned),
        ingress=_ingress(session, planned.state),
        last_run=last_run(record),
        lock=lock_of(session),
        standby=_standby(session, planned),
    )
    return _with_certificates(session, row, planned.state)


def lock_of(session: Session) -> Lock | None:
    """Who holds the lock. Raises RefusedError."""
    found = or_refused("the lock could not be read", lambda: holder_of(session.api))
    return Lock(found.identity, found.since.timestamp(), found.renewed.timestamp()) if found else None


def last_run(record: Record | None) -> LastRun | None:
    """The newest run of a record."""
    return _timed(record.last_run) if record else None


def _timed(run: RunEntry | None) -> LastRun | None:
    return LastRun(run, seconds_since_1970(run.ended or run.started)) if run else None


def _pending(plan: Plan) -> str:
    if plan.refusal or (plan.mode is Mode.NONE and not plan.changes_pending):
        return plan.refusal
    if plan.mode is Mode.NONE:
        due = [phase.name for phase in plan.phases if any(step.risk is not Risk.READ for step in phase.steps)]
        return " and ".join(dict.fromkeys(_PENDING.get(name, name) for name in due))
    return f"{plan.mode.value} ({plan.changes.summary()})" if plan.changes else plan.mode.value


def _drift(planned: Planned) -> Drift | None:
    """None where nothing is installed, or nothing was compared (somebody else's mesh)."""
    if not planned.plan.installed_version or not planned.rendered.manifest:
        return None
    changes = planned.plan.changes
    fields = [item for change in changes.objects for item in change.fields]
    return Drift(len(changes.objects), len(fields), sum(bool(item.manager) for item in fields), changes.managers)


def _sidecars(plan: Plan) -> Sidecars | None:
    """None where there is no plan to tell it."""
    if plan.mode in (Mode.UNKNOWN, Mode.INSTALL):
        return None
    steps = [step for step in plan.steps if isinstance(step, RestartWorkloads) and not step.without_sidecar]
    left = sum(len(step.left_alone) for step in steps) + len(plan.held_back)
    return Sidecars(sum(len(step.workloads) for step in steps), left)


def _gateways(planned: Planned) -> tuple[MeshDeployment, ...]:
    """The mesh's; in other namespaces only those of the manifest, or that it removes: others may have theirs there."""
    meshes = planned.rendered.meshes.values()
    known = {item.ref for mesh in meshes for item in mesh.gateways} | set(planned.plan.removed)
    return tuple(
        item
        for item in planned.state.mesh_deployments
        if item.component == "gateway" and (item.ref.namespace == ISTIO_NAMESPACE or item.ref in known)
    )


def _ingress(session: Session, state: ClusterState) -> Ingress | None:
    environment = session.environment
    gateway = next((item for item in environment.gateways if item.kind == "ingress"), None)
    if gateway is None:
        return None
    place = (gateway.namespace, gateway.name)
    services = [item for item in state.gateway_services if (item.ref.namespace, item.ref.name) == place]
    actual = tuple(address for item in services for address in item.addresses)
    return Ingress(environment.ingress_address or "", actual)


def _standby(session: Session, planned: Planned) -> StandbyStatus | None:
    record = planned.record or Record(session.environment.name)
    mark = record.failover
    if not session.environment.is_standby and mark is None:
        return None
    unrecorded = mark is None and dns_leads_here(session, planned.state)
    stage = Stage.ACTIVE.value if unrecorded else mark.stage.value if mark else ""
    return StandbyStatus(
        stage,
        _timed(record.last_of(Mode.REHEARSE)),
        _timed(record.last_of(Mode.SYNC)),
        record.sync_left,
        recorded=not unrecorded,
        readiness=record.readiness,
        stands_by=session.environment.is_standby,
    )


def _with_certificates(session: Session, row: EnvironmentStatus, state: ClusterState) -> EnvironmentStatus:
    """They are no reason to show nothing of the rest."""
    if not state.istiods:
        return row
    try:
        objects = custom_resources(session.api, GATEWAY_KINDS)
        found = signing_certificates(session.api, objects, state.mesh_deployments)
    except KubeError as error:
        missing = f"the certificates could not be read: {error.brief()}"
        return replace(row, missing=(*row.missing, missing))
    notes = [item.absence for item in found.gateways if item.absence]
    return replace(row, certificates=certificates_of(found, time.time()), missing=(*row.missing, *notes))


def certificates_of(found: MeshCertificates, now: float) -> Certificates:
    """Which ends first, which end soon, and which are not known. `now` is in seconds since 1970."""
    live = found.authority
    ends = [(item.expires, f"CA {item.subject}", AUTHORITY_DAYS) for item in live.authority.all]
    ends += [
        (item.certificate.expires, str(item.secret), GATEWAY_DAYS)
        for item in found.gateways
        if item.certificate is not None
    ]
    ends.sort()
    unread = ["the CA's own certificate"] if live.unread else []
    unread += [str(item.secret) for item in found.gateways if item.unread]
    soon = tuple(name for expires, name, days in ends if expires < now + days * DAY)
    if not ends:
        return Certificates(unread=tuple(unread))
    return Certificates(ends[0][1], ends[0][0], soon, tuple(unread))
