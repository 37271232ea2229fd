"""Whether a move of traffic was left half done. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.checks.result import CheckResult, Result
from sohistio.model.failover_mark import Stage
from sohistio.model.fault import Severity
from sohistio.model.record import Record

_HALF_DONE = {
    Stage.MOVING: ("a failover", "Run the same failover again, or `sohistio failback`."),
    Stage.RETURNING: ("a failback", "Run the same failback again."),
    Stage.REHEARSING: ("a rehearsal", "Rehearse again, or `sohistio install`: it switches the gateways off."),
}


def interrupted_moves(record: Record | None) -> Iterator[CheckResult]:
    """A warning where the record says that one has begun and not that it ended."""
    mark = record.failover if record else None
    if mark is None or mark.stage not in _HALF_DONE:
        return
    what, hint = _HALF_DONE[mark.stage]
    message = f"{what} has begun on {mark.since}, by {mark.who}, and has not ended"
    yield CheckResult("failover-ended", Severity.WARNING, Result.FAILED, message, hint)
