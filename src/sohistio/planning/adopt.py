"""Plans `sohistio adopt`: sohistio takes the mesh over without a change of version and without a pod restarted."""

from __future__ import annotations

from dataclasses import replace

from sohistio.adapters.kubernetes.observe import observe
from sohistio.errors import RefusedError
from sohistio.model.mode import Mode
from sohistio.modes.adopt import adopt_plan, adoption, with_undeclared
from sohistio.modes.decide import Asked, decide
from sohistio.modes.planner import Subject, make_plan
from sohistio.modes.replicas import with_replicas
from sohistio.plan.changes import Changes
from sohistio.planning.planned import Planned, Refused, Rendered
from sohistio.planning.reads import compared, live_objects, owned, recorded
from sohistio.planning.session import Session
from sohistio.planning.standby import standby_rule


def plan_adopt(session: Session) -> Planned:
    """Look at the cluster and plan the adoption. Writes nothing. Raises RefusedError where there is no mesh."""
    state = observe(session.api)
    decision = decide(state, Asked(session.version), Changes())
    if decision.mode is Mode.UNKNOWN:
        subject = Subject(session.environment.name, str(session.version), state)
        plan = make_plan(subject, decision, (), Changes())
        return Planned(session, plan, state, lambda: plan_adopt(session), refused=Refused(decision.todo))
    installed = decision.installed
    if installed is None or not state.istiods:
        raise RefusedError("there is no mesh to adopt: no istiod runs", todo="Run `sohistio install`.")
    record = recorded(session)
    operator = session.operator_yaml(installed, gateways_off=standby_rule(session, state, record).off)
    desired, manifest = session.render(installed, operator)
    session.say(f"comparing the manifest of {installed} with the cluster")
    live = live_objects(session, manifest)
    owners = owned(session, manifest, live)
    changes = with_undeclared(with_replicas(compared(session, manifest, live, record), desired, state), owners)
    subject = Subject(session.environment.name, str(installed), state)
    bare = make_plan(subject, replace(decision, mode=Mode.ADOPT, refusal="", replace=False), (), Changes())
    found = adoption(state, owners, desired, record, asked=True)
    plan = adopt_plan(bare, found, installed, operator, changes)
    return Planned(session, plan, state, lambda: plan_adopt(session), record, Rendered({installed: desired}))
