"""A verification outside of a run: of what the environment's files say, and of what was just observed."""

from __future__ import annotations

from sohistio.checks.dry_run import audit_of
from sohistio.checks.moves import interrupted_moves
from sohistio.checks.result import CheckResult
from sohistio.model.record import Record
from sohistio.model.state import ClusterState
from sohistio.planning.declared_monitoring import declared_monitoring
from sohistio.planning.policy import declared_policy
from sohistio.planning.restraint import restraint_of
from sohistio.planning.session import Session
from sohistio.planning.standby import standby_rule
from sohistio.run.verify import Verification, verify_mesh


def verified_now(session: Session, state: ClusterState, record: Record | None) -> tuple[CheckResult, ...]:
    """Every check of `sohistio verify`. Writes nothing. Raises RefusedError where the cluster cannot be read."""
    asked = Verification(
        session.api,
        session.target,
        session.istioctl,
        state=state,
        policy=declared_policy(session.environment),
        monitoring=declared_monitoring(session, record),
        restraint=restraint_of(session),
    )
    rule = standby_rule(session, state, record)
    mesh, _ = session.render(
        session.version, session.operator_yaml(session.version, gateways_off=rule.off or not rule.certain)
    )
    return (*verify_mesh(asked, mesh), *audit_of(session.environment), *interrupted_moves(record))
