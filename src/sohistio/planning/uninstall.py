"""Plans `sohistio uninstall`: what is in the cluster decides, not what the environment asks for."""

from __future__ import annotations

from dataclasses import replace

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.footprint import footprint_of
from sohistio.adapters.kubernetes.observe import observe
from sohistio.errors import RefusedError
from sohistio.model.footprint import Removal
from sohistio.modes.decide import foreign_mesh
from sohistio.modes.planner import Subject
from sohistio.modes.uninstall import uninstall_plan
from sohistio.modes.uninstall_words import proxy_lines
from sohistio.plan.steps import UninstallIstio
from sohistio.planning.planned import Planned, Refused
from sohistio.planning.reads import recorded, unreadable
from sohistio.planning.session import Session
from sohistio.planning.standby import standby_rule

_FOREIGN = "Take it away with what put it there. Nothing was changed."
_SERVES = "Move the traffic first: `sohistio failback`. Nothing was changed."
_SIDECARS = (
    "If that is meant, give --with-sidecars; with --restart-workloads as well they are restarted without a sidecar. "
    "Nothing was changed."
)


def plan_uninstall(session: Session, asked: Removal) -> Planned:
    """Look at the cluster and plan. Writes nothing. Raises RefusedError where it cannot be read."""
    state = observe(session.api)
    if state.unreadable:
        raise unreadable(state)
    try:
        footprint = footprint_of(session.api)
    except KubeError as error:
        raise RefusedError(
            "what the mesh has put into the cluster could not be read",
            details=(error.what, *error.details),
            todo=error.todo or "Nothing was changed.",
        ) from error
    plan = uninstall_plan(Subject(session.environment.name, "", state), footprint, asked)
    record = recorded(session)
    rule = standby_rule(session, state, record)
    why = Refused(_FOREIGN, plan.reasons) if foreign_mesh(state) else Refused(_SIDECARS, proxy_lines(state))
    if plan.steps and not plan.refusal and session.environment.is_standby and rule.reasons:
        what = f"{session.environment.name} serves in place of {session.environment.standby_of}"
        plan, why = replace(plan, refusal=what, phases=()), Refused(_SERVES, rule.reasons)
    for step in plan.steps:
        if isinstance(step, UninstallIstio):
            session.istioctl(step.version)  # better to miss it now than half way
    return Planned(
        session,
        plan,
        state,
        lambda: plan_uninstall(session, asked),
        record,
        refused=why if plan.refusal else Refused(),
    )
