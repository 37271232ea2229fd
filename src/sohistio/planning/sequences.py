"""A failover, a failback and a rehearsal as sequences of plans over two clusters: shown together, approved once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sohistio.failover.plans import Move, plan_other_side, plan_standing_by
from sohistio.model.failover_mark import Stage
from sohistio.model.mode import Mode
from sohistio.planning.failover import (
    SIDE_SECONDS,
    Observed,
    Pair,
    look,
    plan_failover,
    plan_left,
    plan_rehearse,
    plan_stand_by,
)
from sohistio.planning.planned import Planned

Planner = Callable[[], Planned]


@dataclass(frozen=True, slots=True)
class Sequence:
    """`first` moves the traffic; `then`, once it has moved, is what is done on the side that it left, None where
    nothing is; `undo` puts the side that was woken back as it was found, where the first fails before DNS is switched.
    """

    mode: Mode
    to: str
    source: str
    first: Planned
    then: Planner | None
    later: str
    undo: Planner | None
    observed: Observed


def failover_sequence(pair: Pair, *, watch: int, drain: bool) -> Sequence:
    """Traffic to the standby; then the primary's record, and with `drain` its gateways off, if it answers."""
    primary, standby = pair.primary.environment.name, pair.standby.environment.name
    seen = _first_look(pair)
    first = plan_failover(pair, Move(standby, Mode.FAILOVER, watch), seen)
    reachable = seen.world.primary.is_reachable
    later = ""
    if reachable and (first.plan.changes_pending or plan_other_side(seen.world, Mode.FAILOVER, drain=drain).steps):
        later = f"then, on {primary}: record that {standby} serves" + (", and switch its gateways off" if drain else "")
    elif drain and not reachable:
        later = f"{primary} cannot be reached: it is not drained; run the same command again once it answers"
    undo = _undo(pair, seen, Mode.FAILOVER)
    return Sequence(
        Mode.FAILOVER,
        standby,
        primary,
        first,
        (lambda: plan_left(pair, drain=drain)) if reachable else None,
        later,
        undo,
        seen,
    )


def failback_sequence(pair: Pair, *, watch: int) -> Sequence:
    """Traffic to the primary; then the standby's gateways off."""
    primary, standby = pair.primary.environment.name, pair.standby.environment.name
    seen = _first_look(pair)
    first = plan_failover(pair, Move(primary, Mode.FAILBACK, watch), seen)
    reachable = seen.world.standby.is_reachable
    later = ""
    if first.plan.changes_pending or plan_standing_by(seen.world, Mode.FAILBACK).steps:
        later = f"then, on {standby}: its gateways off, and recorded as standing by"
    if not reachable:
        problem = seen.world.standby.problem
        later = f"{standby} cannot be read ({problem}): its gateways stay as they are; run the same command again later"
    then = (lambda: plan_stand_by(pair, Mode.FAILBACK)) if reachable else None
    return Sequence(Mode.FAILBACK, primary, standby, first, then, later, None, seen)


def rehearsal_sequence(pair: Pair) -> Sequence:
    """The standby's gateways on, proven, off again."""
    primary, standby = pair.primary.environment.name, pair.standby.environment.name
    seen = _first_look(pair)
    undo = _undo(pair, seen, Mode.REHEARSE)
    return Sequence(Mode.REHEARSE, standby, primary, plan_rehearse(pair, seen), None, "", undo, seen)


def _first_look(pair: Pair) -> Observed:
    """Later ones, under the lock, say nothing."""
    names = f"{pair.standby.environment.name}, {pair.primary.environment.name}"
    pair.standby.say(f"looking at {names} and the DNS record; a side that is silent has {SIDE_SECONDS:.0f} s")
    return look(pair)


def _undo(pair: Pair, seen: Observed, mode: Mode) -> Planner | None:
    """Only where the standby was found off: gateways that served already are left alone."""
    standby = seen.world.standby
    found_off = standby.is_off or standby.stage is Stage.REHEARSING
    return (lambda: plan_stand_by(pair, mode)) if found_off else None
