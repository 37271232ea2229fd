"""What `sohistio status` tells: every environment looked at side by side, each within the same deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from sohistio.adapters.kubernetes.holder import Holder
from sohistio.adapters.kubernetes.lease import holder_of
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.record_store import NotUnderstoodError
from sohistio.errors import RefusedError, SohistioError
from sohistio.images.pins import NotPinnedError
from sohistio.model.failover_mark import Stage
from sohistio.model.mode import Mode
from sohistio.model.readiness import ReadinessItem
from sohistio.model.record import Record, RunEntry
from sohistio.model.state import ISTIO_NAMESPACE, MeshDeployment
from sohistio.modes.install_plan import Request
from sohistio.modes.uninstall import installed_version
from sohistio.planning.install import plan_install
from sohistio.planning.planned import Planned
from sohistio.planning.reads import or_refused, recorded, unreadable
from sohistio.planning.session import Session, Where
from sohistio.planning.standby import dns_leads_here
from sohistio.planning.target_cluster import recorded_faults
from sohistio.system.parallel import in_time

# For all environments together: one that hangs must not hold up the others. A cluster that cannot be reached says so
# in half of it.
DEADLINE_SECONDS = 90.0
# What there may be to do to a mesh in sync, by the plan's phases.
_PENDING = {
    "pull-secrets": "pull secrets",
    "namespaces": "namespaces",
    "sidecars": "restarts",
    "policy-egress": "policy",
    "policy": "policy",
    "record": "verification",
}


@dataclass(frozen=True, slots=True)
class StandbyStatus:
    """Of a standby, or of the side that it stands by for: its stage in a failover, and what was last done for it.

    `stage` is empty where no failover ever was; `recorded` is False where only DNS says that the standby serves. The
    runs are None where there was none that ended well. `left` is how many differences the last sync left, `readiness`
    what a rehearsal or a failover found last.
    """

    stage: str
    rehearsed: RunEntry | None
    synced: RunEntry | None
    left: int = 0
    recorded: bool = True
    readiness: tuple[ReadinessItem, ...] = ()


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    """One environment. `problem` says why it could not be read, `hint` what to do (the rest is what is known all the
    same); `pending` what an install would do, empty where the cluster is in sync.
    """

    environment: str
    cluster: str = ""
    server: str = ""
    installed: str = ""
    target: str = ""
    mode: str = ""
    pending: str = ""
    gateways: tuple[MeshDeployment, ...] = ()
    last_run: RunEntry | None = None
    lock: Holder | None = None
    standby: StandbyStatus | None = None
    problem: str = ""
    hint: str = ""

    @property
    def in_sync(self) -> bool | None:
        """Whether an install would change nothing; None where that is not known."""
        return None if self.problem else not self.pending


def status_of(places: Sequence[Where], deadline_seconds: float = DEADLINE_SECONDS) -> list[EnvironmentStatus]:
    """Every environment's status, in the order given. What goes wrong with one is in its row, never raised."""
    rows = in_time({where.environment: (partial(_row, where), deadline_seconds) for where in places})
    late = f"it did not answer within {deadline_seconds:.0f} s"
    return [rows.get(w.environment) or EnvironmentStatus(w.environment, problem=late) for w in places]


def _row(where: Where) -> EnvironmentStatus:
    row = EnvironmentStatus(where.environment)
    try:
        session = _session(where)
        row = replace(row, target=str(session.version))
        row = replace(row, cluster=session.target.context or "")
        row = replace(row, server=session.api.server)
        try:
            row = _looked_at(session, row)
        except NotUnderstoodError:
            row = _as_it_stands(session, row)
            raise
        except NotPinnedError:
            record = recorded(session)
            row = replace(_as_it_stands(session, row), last_run=record.last_run if record else None)
            raise
    except SohistioError as error:
        row = replace(row, problem=": ".join((error.what, *error.details[:1])), hint=error.todo)
    except Exception as error:  # noqa: BLE001 — a thread's traceback would be printed into the middle of the table
        row = replace(row, problem=f"sohistio has a bug here: {type(error).__name__}: {error}")
    return row


def _session(where: Where) -> Session:
    """A kubeconfig given for all environments is not the sandbox's, which has its own."""
    session = Session(where, lambda _: None)
    if where.kubeconfig is not None and where.context is None and session.environment.cluster.sandbox is not None:
        return Session(replace(where, kubeconfig=None), lambda _: None)
    return session


def _looked_at(session: Session, row: EnvironmentStatus) -> EnvironmentStatus:
    planned = plan_install(session, Request())
    plan, state = planned.plan, planned.state
    if state.unreadable:
        raise unreadable(state)
    if found := recorded_faults(session):
        raise RefusedError(found[0].message, todo=found[0].hint)  # the rest of the row would be the other environment's
    pending = plan.refusal
    if not pending and (plan.mode is not Mode.NONE or plan.changes_pending):
        pending = f"{plan.mode.value} ({plan.changes.summary()})" if plan.changes else plan.mode.value
        if plan.mode is Mode.NONE:
            parts = dict.fromkeys(_PENDING[phase.name] for phase in plan.phases if phase.name in _PENDING)
            pending = " and ".join(parts)
    return replace(
        row,
        installed=plan.installed_version,
        mode=plan.mode.value,
        pending=pending,
        gateways=_gateways(planned),
        last_run=planned.record.last_run if planned.record else None,
        lock=_lock(session),
        standby=_standby(session, planned),
    )


def _standby(session: Session, planned: Planned) -> StandbyStatus | None:
    record = planned.record or Record(session.environment.name)
    mark = record.failover
    if not session.environment.is_standby and mark is None:
        return None
    unrecorded = mark is None and dns_leads_here(session, planned.state)
    stage = Stage.ACTIVE.value if unrecorded else mark.stage.value if mark else ""
    return StandbyStatus(
        stage,
        record.last_of(Mode.REHEARSE),
        record.last_of(Mode.SYNC),
        record.sync_left,
        recorded=not unrecorded,
        readiness=record.readiness,
    )


def _as_it_stands(session: Session, row: EnvironmentStatus) -> EnvironmentStatus:
    """What the cluster shows without a record or a manifest. Nobody knows then what an install would do."""
    state = observe(session.api)
    gateways = (item for item in state.mesh_deployments if item.component == "gateway")
    own = tuple(item for item in gateways if item.ref.namespace == ISTIO_NAMESPACE)
    return replace(row, installed=str(installed_version(state) or ""), gateways=own, lock=_lock(session))


def _lock(session: Session) -> Holder | None:
    return or_refused("the lock could not be read", lambda: holder_of(session.api))


def _gateways(planned: Planned) -> tuple[MeshDeployment, ...]:
    """The mesh's; in other namespaces only those of the manifest, or that it removes: others may have theirs there."""
    meshes = planned.rendered.meshes.values()
    known = {item.ref for mesh in meshes for item in mesh.gateways} | set(planned.plan.removed)
    return tuple(
        item
        for item in planned.state.mesh_deployments
        if item.component == "gateway" and (item.ref.namespace == ISTIO_NAMESPACE or item.ref in known)
    )
