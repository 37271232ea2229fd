"""Plans `sohistio restart`: only workloads whose sidecar is not the mesh's."""

from __future__ import annotations

from sohistio.adapters.kubernetes.observe import observe
from sohistio.errors import RefusedError
from sohistio.model.restart_policy import Share
from sohistio.model.versions import Version
from sohistio.modes.planner import Subject, restart_plan
from sohistio.modes.webhooks import MAKE_THE_TAG, NOTHING_INJECTS, injects_at_all
from sohistio.planning.planned import Planned, Rendered
from sohistio.planning.reads import recorded, unreadable
from sohistio.planning.restraint import restraint_of
from sohistio.planning.session import Session
from sohistio.planning.standby import standby_rule


def plan_restart(session: Session, share: Share | None = None, *, outside_windows: bool = False) -> Planned:
    """Look at the cluster and plan the restart. Raises RefusedError where there is no mesh."""
    state = observe(session.api, dry_runs=True)
    if state.unreadable:
        raise unreadable(state)
    installed = next((Version.from_tag(seen.image_version) for seen in state.istiods), None)
    if state.sidecar is None or installed is None:
        raise RefusedError(
            "there is no mesh whose sidecar workloads could be given", todo="Run `sohistio install` first."
        )
    if not injects_at_all(state.webhooks):
        raise RefusedError(NOTHING_INJECTS, todo=MAKE_THE_TAG)
    record = recorded(session)
    rule = standby_rule(session, state, record)
    mesh, _ = session.render(installed, session.operator_yaml(installed, gateways_off=rule.off))
    restraint = restraint_of(session, share, outside_windows=outside_windows)
    plan = restart_plan(Subject(session.environment.name, str(installed), state, restraint), mesh)

    def again() -> Planned:
        return plan_restart(session, share, outside_windows=outside_windows)

    return Planned(session, plan, state, again, record, Rendered({installed: mesh}), restraint=restraint)
