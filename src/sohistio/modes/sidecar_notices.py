"""What a plan says of sidecars that none of its steps is about. Pure."""

from __future__ import annotations

from sohistio.model.mode import Mode
from sohistio.model.state import ClusterState
from sohistio.plan.left_alone import alike, is_worth_saying, line_of
from sohistio.plan.plan import Plan
from sohistio.plan.steps import RestartWorkloads
from sohistio.postinstall import restarts


def sidecar_notices(state: ClusterState, plan: Plan) -> tuple[str, ...]:
    """Where only images could be compared, and, if nothing is restarted, which workloads do not have the mesh's sidecar
    all the same, and why each is left alone; the step of a restart says that itself.
    """
    if plan.refusal or plan.mode is Mode.INSTALL:
        return ()
    notices = tuple(f"sidecars compared by their image only, {reason}" for reason in state.not_compared)
    silent = plan.mode in (Mode.NONE, Mode.RESTART)
    if not silent or state.sidecar is None or any(isinstance(step, RestartWorkloads) for step in plan.steps):
        return notices
    known = {workload.ref for workload in state.workloads}
    left = [item for item in restarts(state, state.sidecar)[1] if item.ref in known and is_worth_saying(item)]
    return (*notices, *(f"{line_of(items)}. {items[0].todo}".removesuffix(". ") for items in alike(left)))
