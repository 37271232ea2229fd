"""Whether a run may go on without a reason, where the environment requires one (`audit.reasonRequired`)."""

from __future__ import annotations

from sohistio.errors import RefusedError
from sohistio.model.mode import Mode
from sohistio.planning.planned import Planned

_MAY_END_AN_OUTAGE = frozenset({Mode.FAILOVER, Mode.FAILBACK, Mode.ROLLBACK})
_DOCS = "docs/audit.md#where-a-reason-is-required"


def missing_reason(planned: Planned) -> str:
    """What to say of a required reason that is missing and that the run does not wait for; empty where none is.

    Raises RefusedError where it has to wait: whoever moves traffic or goes back at night does it now and explains
    later, everybody else has a minute. A plan that changes nothing needs no reason.
    """
    environment, plan = planned.session.environment, planned.plan
    if not environment.audit.reason_required or planned.session.where.cause.reason or not plan.changes_pending:
        return ""
    if plan.mode in _MAY_END_AN_OUTAGE:
        return (
            f"{environment.name} requires a reason, and none was given: this {plan.mode.value} goes on without, and is "
            "recorded so. Add the reason to the incident."
        )
    raise RefusedError(
        f"{environment.name} requires a reason for each change, and none was given",
        todo='Say why, with the number of the change: --reason "CHG0012345 …", or the variable SOHISTIO_REASON. '
        "Nothing was changed.",
        docs=_DOCS,
    )
