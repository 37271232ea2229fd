"""What `sohistio status` tells: every environment looked at side by side, each within the same deadline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.private_kubeconfig import discard
from sohistio.adapters.kubernetes.record_store import NotUnderstoodError
from sohistio.errors import RefusedError, SohistioError
from sohistio.fleet.row import EnvironmentStatus, Trouble
from sohistio.images.pins import NotPinnedError
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.modes.install_plan import Request
from sohistio.modes.uninstall import installed_version
from sohistio.planning.install import plan_install
from sohistio.planning.libraries import load_libraries
from sohistio.planning.reads import recorded, unreadable
from sohistio.planning.session import Session, Where
from sohistio.planning.status_facts import last_run, lock_of, with_plan
from sohistio.planning.target_cluster import recorded_faults
from sohistio.system.masked import bug_text
from sohistio.system.parallel import in_time
from sohistio.system.slow import when_slow

# For all environments together: one that hangs must not hold up the others. A cluster that cannot be reached says so
# in half of it.
DEADLINE_SECONDS = 90.0


def status_of(
    places: Sequence[Where],
    deadline_seconds: float = DEADLINE_SECONDS,
    slow: Callable[[Sequence[str]], None] = lambda _: None,
) -> list[EnvironmentStatus]:
    """Every environment's status, in the order given. What goes wrong with one is in its row, never raised.

    `slow` is told, from another thread, of the environments that let a person wait.
    """
    if len(places) > 1:
        load_libraries(Session(where, lambda _: None) for where in places)
    late = {where.environment: None for where in places}

    def look(where: Where) -> EnvironmentStatus:
        row = _row(where)
        del late[where.environment]
        return row

    with when_slow(lambda: slow(tuple(late))):
        rows = in_time({where.environment: (partial(look, where), deadline_seconds) for where in places})
    return [rows.get(where.environment) or _late(where.environment, deadline_seconds) for where in places]


def _late(name: str, deadline_seconds: float) -> EnvironmentStatus:
    return EnvironmentStatus(
        name,
        trouble=Trouble.UNREACHABLE,
        problem=f"it did not answer within {deadline_seconds:.0f} s",
        hint="Check the network (VPN, private cluster) and its login; one that is only slow takes a longer --deadline.",
    )


def _row(where: Where) -> EnvironmentStatus:
    row = EnvironmentStatus(where.environment, trouble=Trouble.INVALID)
    with ExitStack() as at_the_end:
        try:
            session = _session(where)
            at_the_end.callback(_discard, session)
            row = replace(row, target=str(session.version), trouble=Trouble.UNREAD)
            row = replace(row, cluster=session.target.context or "")
            row = replace(row, server=session.api.server)
            try:
                row = _looked_at(session, row)
            except NotUnderstoodError:
                row = _as_it_stands(session, row)
                raise
            except NotPinnedError:
                row = replace(_as_it_stands(session, row), last_run=last_run(recorded(session)))
                raise
        except SohistioError as error:
            trouble = Trouble.UNREACHABLE if _is_away(error) or _is_away(error.__cause__) else row.trouble
            return replace(row, trouble=trouble, problem=error.brief(), hint=error.todo)
        except Exception as error:  # noqa: BLE001 — a thread's traceback would be printed into the middle of the table
            return replace(row, trouble=Trouble.UNREAD, problem=f"sohistio has a bug here: {bug_text(error)}")
        return replace(row, trouble=Trouble.NONE)


def _discard(session: Session) -> None:
    """A watch would else keep a kubeconfig of each look until it ends."""
    if "target" in session.__dict__:  # it was needed
        discard(session.target)


def _is_away(error: BaseException | None) -> bool:
    return isinstance(error, KubeError) and error.status == 0 and error.passing


def _session(where: Where) -> Session:
    """A kubeconfig given for all environments is not the sandbox's, which has its own."""
    session = Session(where, lambda _: None)
    if where.kubeconfig is not None and where.context is None and session.environment.cluster.sandbox is not None:
        return Session(replace(where, kubeconfig=None), lambda _: None)
    return session


def _looked_at(session: Session, row: EnvironmentStatus) -> EnvironmentStatus:
    """Raises KubeError where the API server does not answer, RefusedError where it does not say all."""
    session.api.request("GET", "/version")  # whether anybody answers at all, before the plan asks fifty things
    planned = plan_install(session, Request())
    if planned.state.unreadable:
        raise unreadable(planned.state)
    if found := recorded_faults(session):
        raise RefusedError(found[0].message, todo=found[0].hint)  # the rest of the row would be the other environment's
    return with_plan(session, row, planned)


def _as_it_stands(session: Session, row: EnvironmentStatus) -> EnvironmentStatus:
    """What the cluster shows without a record or a manifest. Nobody knows then what an install would do."""
    state = observe(session.api)
    gateways = (item for item in state.mesh_deployments if item.component == "gateway")
    own = tuple(item for item in gateways if item.ref.namespace == ISTIO_NAMESPACE)
    return replace(row, installed=str(installed_version(state) or ""), gateways=own, lock=lock_of(session))
