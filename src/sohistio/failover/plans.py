"""The plans of a failover, a failback, a rehearsal and a drain, one for each cluster. Pure.

What is done already has no step, so the same command goes on after an interruption.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sohistio.failover.world import Side, World, last_switch
from sohistio.model.durations import duration_of
from sohistio.model.failover_mark import Stage
from sohistio.model.mode import Mode
from sohistio.model.monitoring import REHEARSAL
from sohistio.plan.failover_steps import AwaitOldAnswers, MarkFailover, ProveName, ProveSide, SwitchRecord, WatchHealth
from sohistio.plan.monitoring_steps import ReportRehearsal
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import AwaitRollouts, HoldStandby, ScaleUp, Step


@dataclass(frozen=True, slots=True)
class Move:
    """What is asked for: traffic to the environment `to`, in this mode.

    `watch` is in seconds; `accepted` is what was accepted by name, and why.
    """

    to: str
    mode: Mode
    watch: int = 0
    refusal: str = ""
    accepted: str = ""


def plan_move(world: World, move: Move) -> Plan:
    """Traffic to `move.to`, on that side's cluster: gateways on, proven, DNS, proven again, recorded.

    The stage at the end is `active` for the standby and `serving` for the other side.
    """
    target, source = world.side(move.to), world.other(move.to)
    to_standby = move.to == world.standby.environment
    stage = Stage.ACTIVE if to_standby else Stage.SERVING
    plan = _bare(world, target, move.mode, f"from {source.environment} to {move.to}", move.refusal)
    switched = world.named == move.to
    watched = Phase("watch", (_watch(target, move.watch),)) if move.watch else None
    if move.refusal:
        return plan
    if switched and target.is_on and target.stage is stage:  # nothing to write; it can still be watched
        return _with(plan, [watched])
    begin = _begin(target, move, to_standby=to_standby)
    recorded = _mark("record", stage, f"record that {move.to} serves", move.accepted)
    phases = [
        Phase("begin", (begin,)) if begin else None,
        _gateways_on(target),
        Phase("prove", (_directly(target),)),
        Phase("dns", (_switch(world, target),)) if not switched else None,
        Phase("prove-by-name", (_by_name(world, target),)),
        watched,
        Phase("record", (replace(recorded, switched=_switched_before(world, move.to)),)),
    ]
    return _with(plan, phases)


def _switched_before(world: World, to: str) -> str:
    """When DNS was switched to the environment `to`, where only the other side's record has it; else empty."""
    lost = world.named == to == world.standby.environment and world.standby.mark is None
    return last_switch(world) if lost else ""


def _begin(target: Side, move: Move, *, to_standby: bool) -> MarkFailover | None:
    """So that no install acts against the move: a side that is woken must not be taken for one that is to be off."""
    if to_standby and target.stage not in (Stage.MOVING, Stage.ACTIVE):
        return _mark("begin", Stage.MOVING, f"record that a failover to {move.to} is under way", move.accepted)
    if not to_standby and target.stage is Stage.DRAINED:
        return _mark("begin", Stage.RETURNING, f"record that a failback to {move.to} is under way", move.accepted)
    return None


def plan_rehearsal(world: World, refusal: str = "", *, monitored: bool = False) -> Plan:
    """All that can be proved without moving traffic: gateways on, both sides proven, gateways off again.

    Where the standby is `monitored`, its Prometheus is told: an alert says when the next is due.
    """
    target = world.standby
    plan = _bare(world, target, Mode.REHEARSE, f"a rehearsal of {target.environment}; no traffic is moved", refusal)
    if refusal:
        return plan
    back = ProveSide(
        "prove/back",
        f"prove the way back: {world.primary.environment} answers at {world.primary.address}",
        world.primary.environment,
        world.primary.address,
    )
    proofs: tuple[Step, ...] = (_directly(target), *((back,) if world.primary.address else ()))
    last: tuple[Step, ...] = (_mark("record", Stage.STANDBY, "record the rehearsal"),)
    if monitored:
        told = "tell Prometheus when it was rehearsed"
        last += (ReportRehearsal("record/prometheus", told, target.environment, REHEARSAL),)
    return _with(
        plan,
        [
            Phase("begin", (_mark("begin", Stage.REHEARSING, f"record that {target.environment} is being rehearsed"),)),
            _gateways_on(target),
            Phase("prove", proofs),
            _gateways_off(target),
            Phase("record", last),
        ],
    )


def plan_standing_by(world: World, mode: Mode, refusal: str = "", old_answers: int = 0) -> Plan:
    """The standby's gateways off again, after a failback or where a failover failed before DNS was switched.

    `old_answers` is for how many seconds clients may still have its address.
    """
    target = world.standby
    plan = _bare(world, target, mode, f"{target.environment} stands by again", refusal)
    if refusal or (target.is_off and target.stage in (None, Stage.STANDBY)):
        return plan
    record = _mark("record", Stage.STANDBY, f"record that {target.environment} stands by")
    wait = None if target.is_off else _old_answers(target, old_answers)
    return _with(plan, [wait, None if target.is_off else _gateways_off(target), Phase("record", (record,))])


def plan_other_side(world: World, mode: Mode, *, drain: bool, refusal: str = "", old_answers: int = 0) -> Plan:
    """What is done on the side that traffic has left: its record says so, and with `drain` its gateways are off."""
    side = world.primary
    plan = _bare(world, side, mode, f"traffic has left {side.environment}", refusal)
    stage = Stage.DRAINED if drain or side.stage is Stage.DRAINED else Stage.AWAY
    if refusal or (side.stage is stage and (not drain or side.is_off)):
        return plan
    words = f"record that {world.standby.environment} serves in place of {side.environment}"
    draining = drain and not side.is_off
    wait = _old_answers(side, old_answers) if draining else None
    off = _gateways_off(side) if draining else None
    return _with(plan, [wait, off, Phase("record", (_mark("record", stage, words),))])


def _bare(world: World, side: Side, mode: Mode, reason: str, refusal: str) -> Plan:
    return Plan(
        environment=side.environment,
        cluster=side.server,
        mode=mode,
        installed_version=side.version,
        target_version=side.version,
        reasons=(reason, *world.lines()),
        refusal=refusal,
    )


def _with(plan: Plan, phases: list[Phase | None]) -> Plan:
    return replace(plan, phases=tuple(phase for phase in phases if phase is not None))


def _mark(phase: str, stage: Stage, summary: str, accepted: str = "") -> MarkFailover:
    return MarkFailover(f"{phase}/{stage}", summary, stage, accepted)


def _gateways_on(side: Side) -> Phase | None:
    """Both at once; the autoscalers go on from there."""
    minimums = tuple((item.ref, side.minimum(item.ref)) for item in side.gateways)
    if side.is_on:
        return None
    names = ", ".join(f"{ref.short} ≥ {least}" for ref, least in minimums)
    steps: list[Step] = [AwaitRollouts("gateways/await", f"wait for {names}", minimums)]
    if side.asleep:
        woken = tuple((item.ref, side.minimum(item.ref)) for item in side.asleep)
        said = ", ".join(f"{ref.short} to {least}" for ref, least in woken)
        steps.insert(0, ScaleUp("gateways/scale-up", f"scale {said}", woken))
    return Phase("gateways", tuple(steps))


def _old_answers(side: Side, seconds: int) -> Phase | None:
    if seconds <= 0:
        return None
    summary = f"wait {duration_of(seconds)}: for so long clients may have the address of {side.environment}"
    return Phase("old-answers", (AwaitOldAnswers("old-answers/await", summary, seconds),))


def _gateways_off(side: Side) -> Phase:
    refs = tuple(item.ref for item in side.gateways)
    names = ", ".join(ref.short for ref in refs)
    return Phase("gateways-off", (HoldStandby("gateways-off/hold", f"scale {names} to 0", refs),))


def _directly(side: Side) -> ProveSide:
    summary = f"prove that {side.environment} answers at {side.address}"
    return ProveSide(f"prove/{side.environment}", summary, side.environment, side.address)


def _switch(world: World, target: Side) -> SwitchRecord:
    before = ", ".join(world.answer.addresses)
    summary = f"switch {world.record} from {before} ({world.named}) to {target.address} ({target.environment})"
    return SwitchRecord("dns/switch", summary, world.record, before, target.address, target.environment)


def _by_name(world: World, target: Side) -> ProveName:
    summary = f"prove that {world.record} leads to {target.environment}, on every name server and with real requests"
    return ProveName("prove-by-name/await", summary, world.record, target.environment, target.address)


def _watch(target: Side, seconds: int) -> WatchHealth:
    summary = f"watch {target.environment} for {duration_of(seconds)}"
    gateways = tuple(item.ref for item in target.gateways)
    return WatchHealth("watch/health", summary, target.environment, target.address, seconds, gateways)
