"""A plan's restarts as the restart policy has them: in stages, without the workloads that it holds back. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sohistio.model.held_back import HeldBack, Why
from sohistio.model.restart_order import Stage, left_out, stages_of
from sohistio.model.restart_policy import Restraint, held_in
from sohistio.model.restart_reason import RestartReason
from sohistio.model.staleness import MARKS
from sohistio.model.state import ClusterState, ObjectRef, Workload
from sohistio.model.words import counted, first_names
from sohistio.plan.left_alone import is_beyond_restarts
from sohistio.plan.plan import Plan
from sohistio.plan.steps import RestartWorkloads, Step, VerifyMesh

_MOST_NAMED = 5
_MARKS = frozenset(MARKS)


@dataclass(frozen=True, slots=True)
class _Staged:
    """A step of restarts in stages; `canary` are those that others are restarted without."""

    steps: tuple[RestartWorkloads, ...]
    held_back: dict[ObjectRef, HeldBack]
    canary: tuple[ObjectRef, ...]


def restrained(plan: Plan, state: ClusterState, restraint: Restraint) -> Plan:
    """The plan with what it holds back named in `held_back`; one that has nothing left to do has no phases."""
    if restraint.now is None:
        return plan
    back: dict[ObjectRef, HeldBack] = {}
    canary: dict[ObjectRef, None] = {}
    phases = []
    for phase in plan.phases:
        steps: list[Step] = []
        for step in phase.steps:
            if isinstance(step, RestartWorkloads) and not step.without_sidecar:
                staged = _staged(step, state, restraint)
                steps += staged.steps
                back |= staged.held_back
                canary |= dict.fromkeys(staged.canary)
            else:
                steps.append(step)
        if steps:
            phases.append(replace(phase, steps=tuple(steps)))
    if back and all(isinstance(step, VerifyMesh) for phase in phases for step in phase.steps):
        phases = []
    without = f"others are restarted although their canary is not: {first_names(list(canary), _MOST_NAMED)}"
    return replace(
        plan,
        phases=tuple(phases),
        notices=(*plan.notices, *([without] if canary else [])),
        held_back=tuple(back[ref] for ref in sorted(back)),
    )


def _staged(step: RestartWorkloads, state: ClusterState, restraint: Restraint) -> _Staged:
    listed = set(step.workloads)
    stale = [w for w in state.workloads if w.ref in listed]
    back = held_in(restraint, state, stale)
    back |= {
        item.ref: item for item in left_out(restraint.share, state.workloads, [w for w in stale if w.ref not in back])
    }
    left = {item.ref for item in step.left_alone if is_beyond_restarts(item)}
    missing = [w for w in state.workloads if w.ref in left or (w.ref in listed and w.ref in back)]
    stages = stages_of(restraint.policy, state, [w for w in stale if w.ref not in back])
    if down := _canary_that_is_down(restraint, state, listed):
        reason = f"its canary has not come up since its restart: {first_names(down, _MOST_NAMED)}"
        others = [w.ref for stage in stages if not stage.is_canary for w in stage.workloads]
        back |= {ref: HeldBack(ref, Why.CANARY, reason) for ref in others}
        stages = [stage for stage in stages if stage.is_canary]
    goes_on = any(not stage.is_canary for stage in stages)
    without = tuple(w.ref for w in _canary(restraint, state, missing)) if goes_on else ()
    return _Staged(_steps(step, stages), back, without)


def _canary_that_is_down(restraint: Restraint, state: ClusterState, listed: Collection[ObjectRef]) -> list[ObjectRef]:
    """Those that a run has restarted, and that have fewer ready pods than they want: they need no other restart, so no
    stage of this plan waits for them.
    """
    others = [w for w in state.workloads if w.ref not in listed]
    return [
        w.ref
        for w in _canary(restraint, state, others)
        if sum(pod.ready for pod in w.pods) < w.desired and not _MARKS.isdisjoint(_annotations(w))
    ]


def _annotations(workload: Workload) -> Collection[str]:
    return (workload.template.get("metadata") or {}).get("annotations") or {}


def _canary(restraint: Restraint, state: ClusterState, workloads: Sequence[Workload]) -> tuple[Workload, ...]:
    stages = stages_of(restraint.policy, state, workloads)
    return tuple(w for stage in stages if stage.is_canary for w in stage.workloads)


def _steps(whole: RestartWorkloads, stages: Sequence[Stage]) -> tuple[RestartWorkloads, ...]:
    """A step for each stage; what is left alone is said by the last."""
    every = counted(len(whole.workloads), "workload")
    return tuple(
        replace(
            whole,
            id=f"{whole.id}{stage.suffix}",
            summary=stage.words + whole.summary.replace(every, counted(len(stage.workloads), "workload"), 1),
            workloads=tuple(w.ref for w in stage.workloads),
            reasons=_reasons(whole, {w.ref for w in stage.workloads}),
            left_alone=whole.left_alone if stage is stages[-1] else (),
        )
        for stage in stages
    )


def _reasons(whole: RestartWorkloads, refs: Collection[ObjectRef]) -> tuple[RestartReason, ...]:
    """Those of a stage's own workloads."""
    cut = (replace(item, workloads=tuple(ref for ref in item.workloads if ref in refs)) for item in whole.reasons)
    return tuple(item for item in cut if item.workloads)
