"""Who owns the replicas of a standby's gateways, and of those of the environment that it stands by for. Pure.

One owner at each moment, decided here and nowhere else:

- normally the manifest: it has 0 replicas for a standby's gateways, and leaves all others to their autoscalers;
- while the standby serves (a failover), its autoscalers: the manifest is rendered without the 0, so no install switches
  the gateways off, and `failover` only wakes them;
- while the other side is drained, the manifest of that side has the 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.model.failover_mark import FailoverMark, Stage
from sohistio.model.standby import StandbyRule
from sohistio.model.state import MeshDeployment

_SERVING = frozenset({Stage.MOVING, Stage.ACTIVE})


def rule_of_standby(
    environment: str, mark: FailoverMark | None, gateways: Sequence[MeshDeployment], named: str
) -> StandbyRule:
    """Off, unless a failover is active: the record says so, the DNS record names it, or its gateways serve.

    `named` is the environment that the DNS record leads to, empty where that is not known.
    """
    reasons = []
    if mark is not None and mark.stage in _SERVING:
        words = "is under way" if mark.stage is Stage.MOVING else "is active"
        reasons.append(f"a failover to {environment} {words} since {mark.since}, by {mark.who}")
    if named == environment:
        reasons.append(f"DNS leads to {environment}")
    certain = bool(reasons)
    serving = [item.ref.short for item in gateways if item.ready]
    if serving and (mark is None or mark.stage is not Stage.REHEARSING):
        reasons.append(f"gateways of {environment} serve: {', '.join(serving)}")
    return StandbyRule(not reasons, tuple(reasons), certain or not reasons)


def rule_of_primary(
    environment: str, mark: FailoverMark | None, gateways: Sequence[MeshDeployment], named: str
) -> StandbyRule:
    """On, unless it is drained: its record says so; or DNS names another environment and all its gateways are at 0.

    What serves is never switched off, whatever the record says: a failback may have been interrupted.
    """
    if mark is not None and mark.stage is Stage.DRAINED:
        serving = [item.ref.short for item in gateways if item.ready]
        if named == environment or serving:
            what = f"DNS leads to {environment}" if named == environment else f"gateways serve: {', '.join(serving)}"
            return StandbyRule(False, (f"{what}, though {environment} is recorded as drained",))
        return StandbyRule(True, (f"{environment} is drained since {mark.since}, by {mark.who}",))
    if named not in ("", environment) and gateways and all(item.desired == 0 for item in gateways):
        return StandbyRule(True, (f"all gateways of {environment} are at 0 and DNS leads to {named}",))
    return StandbyRule(False)
