"""Plans `sohistio rollback`: back to the version and the manifest that the record has. A plan like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sohistio.adapters.kubernetes.observe import observe
from sohistio.environments.mesh_settings import lost_settings
from sohistio.environments.support import gateway_api_limits
from sohistio.errors import RefusedError
from sohistio.model.fault import Fault
from sohistio.model.mode import Mode
from sohistio.model.policy import Policy
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.versions import Version
from sohistio.model.words import first_names
from sohistio.modes.decide import Asked, Decision, checked_uninstall, decide
from sohistio.modes.planner import Subject, make_plan
from sohistio.modes.replicas import with_replicas
from sohistio.modes.sidecar_notices import sidecar_notices
from sohistio.modes.skew import GATEWAY_API, gateway_api_faults, newer_proxies
from sohistio.planning.injection import foreseeing
from sohistio.planning.planned import Planned, Refused, Rendered
from sohistio.planning.reads import compared, live_objects, recorded, unreadable
from sohistio.planning.restraint import restraint_of
from sohistio.planning.session import Session
from sohistio.planning.standby import standby_rule

_MOST_NAMED = 5
_SERVES = "Its manifest is that of a standby: move the traffic first, `sohistio failback`. Nothing was changed."


def plan_rollback(session: Session) -> Planned:
    """Look at the cluster and the record and plan the rollback. Raises RefusedError where there is none."""
    state = observe(session.api, dry_runs=True)
    if state.unreadable:
        raise unreadable(state)
    record = recorded(session)
    back = record.rollback_target if record else None
    if back is None:
        raise RefusedError(
            "the record has nothing to go back to",
            todo="Only what sohistio installed itself can be gone back to; `sohistio history` shows it.",
        )
    version = Version.parse(back.version)
    mesh, manifest = session.render(version, back.operator)
    mesh, unforeseen = foreseeing(session.istioctl(version).inject, state, mesh, manifest)
    state = replace(state, not_compared=(*state.not_compared, *unforeseen))
    against = standby_rule(session, state, record).refusal((mesh,))
    changes = with_replicas(compared(session, manifest, live_objects(session, manifest), record), mesh, state)
    decision = decide(state, Asked(version, Mode.REINSTALL), changes)
    if decision.mode is Mode.UNKNOWN:
        refused = make_plan(Subject(session.environment.name, str(version), state), decision, (), changes)
        return Planned(session, refused, state, lambda: plan_rollback(session), refused=Refused(decision.todo))
    decided = checked_uninstall(backwards(decision, version, there=bool(state.istiods)), state)
    if against and not decided.refusal:
        decided = replace(decided, refusal=against, todo=_SERVES)
    if decided.replace and decided.installed is not None and not decided.refusal:
        session.istioctl(decided.installed)  # the uninstall needs it: better to miss it now than half way
    skew = _skew(session, state, version)
    restraint = restraint_of(session)
    plan = make_plan(Subject(session.environment.name, str(version), state, restraint), decided, [mesh], changes, skew)
    notices = (*_policy_notices(session, back.operator), *sidecar_notices(state, plan))
    notices += tuple(_newer(newer_proxies(state, version, plan.held_back)))
    plan = replace(plan, notices=(*plan.notices, *notices))
    todo = decided.todo or (f"If you know better: --skip-check {GATEWAY_API}." if skew else "")
    return Planned(
        session,
        plan,
        state,
        lambda: plan_rollback(session),
        record,
        Rendered({version: mesh}, manifest),
        Refused(todo),
        restraint=restraint,
    )


def _newer(refs: Sequence[ObjectRef]) -> list[str]:
    """What the restart policy leaves that should not be left for long."""
    if not refs:
        return []
    return [
        f"sidecars that are newer than istiod, which Istio does not support, stay in {first_names(refs, _MOST_NAMED)}: "
        "`sohistio restart --outside-windows --reason TEXT` passes over windows and freezes"
    ]


def _policy_notices(session: Session, operator: str) -> tuple[str, ...]:
    """The policy is not gone back to: its objects stay, and the recorded manifest may be older than it."""
    import yaml

    policy = session.environment.mesh_policy()
    lost = lost_settings(policy, yaml.safe_load(operator))
    notices = ["the objects of the environment's policy are not rolled back"] if policy != Policy() else []
    if lost:
        notices.append(
            f"the recorded manifest has not what the policy sets in the mesh's configuration ({', '.join(lost)}): the "
            "next install sets it again"
        )
    return tuple(notices)


def _skew(session: Session, state: ClusterState, version: Version) -> tuple[Fault, ...]:
    """What has come into the cluster since, and keeps the old istiod from getting ready."""
    if GATEWAY_API in session.where.skip_checks:
        return ()
    return gateway_api_faults(state, (version,), gateway_api_limits(session.root))


def backwards(decision: Decision, version: Version, *, there: bool) -> Decision:
    """In place where at most one minor lies between (Istio supports that both ways), else by replacing.

    Where no control plane is `there`, an uninstall that was interrupted has taken it: there is none to replace.
    """
    installed = decision.installed
    near = installed is None or not there or abs(version.minors_ahead_of(installed)) <= 1
    reason = f"back to {version}, the recorded version and manifest"
    how = "in place" if near else "the newer version is uninstalled first"
    return Decision(Mode.ROLLBACK, (reason, how), installed, replace=not near, hops=(version,))
