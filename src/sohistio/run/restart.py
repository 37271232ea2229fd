"""Carries a restart out: a window over its list, each rollout awaited, a failure budget, never below a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.new_pod import refused_now
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.errors import FailedError
from sohistio.model.restart_marks import restart_marks, tried_bare
from sohistio.model.restart_window import Why, nothing_held
from sohistio.model.staleness import MARKS, is_current, was_tried
from sohistio.model.state import ClusterState, ObjectRef, Workload
from sohistio.modes.webhooks import MAKE_THE_TAG, NOTHING_INJECTS, injects_at_all
from sohistio.plan.left_alone import no_pod
from sohistio.plan.steps import LeftAlone, RestartWorkloads
from sohistio.postinstall import beyond, foretold, needless, partings, restarts
from sohistio.run.await_jobs import await_jobs, old_jobs
from sohistio.run.flight import Begun
from sohistio.run.injected import Injected
from sohistio.run.restart_gate import gate, one_first
from sohistio.run.tools import RestartSettings
from sohistio.run.wait import Waiting
from sohistio.run.window import RollingWindow
from sohistio.run.window_words import not_started

# The annotation of `kubectl rollout restart`.
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True, slots=True)
class _Goal:
    """What a restart is for: which workloads it takes and which it leaves, those it takes by the plan's word alone, of
    those `seen`, which are on their way already, and how it is reported; `settled` is said of one that needs it no
    more, `absent` of one that is not found.

    `marks` are the annotations that say what a workload is restarted for, None where it is to lose its sidecar.
    """

    found: Callable[[ClusterState], tuple[list[Workload], list[LeftAlone]]]
    foretold: Callable[[ClusterState, RestartWorkloads], Sequence[Workload]]
    seen: Callable[[ClusterState], Sequence[Workload]]
    is_on_its_way: Callable[[Workload, ClusterState], bool]
    marks: Callable[[Workload, ClusterState], Mapping[str, str | None]]
    words: str
    command: str
    settled: str
    absent: str


def _has_todays_sidecar(workload: Workload, state: ClusterState) -> bool:
    sidecar = state.sidecar
    if sidecar is None or not workload.rolling:
        return False
    pods = (*workload.pods, *workload.arriving)
    return any(is_current(workload, pod, sidecar) or was_tried(workload, pod, sidecar) for pod in pods)


_TODAYS_SIDECAR = _Goal(
    lambda state: restarts(state, state.sidecar),
    foretold,
    lambda state: state.workloads,
    _has_todays_sidecar,
    restart_marks,
    "with the new sidecar",
    "`sohistio restart`",
    "none of its running pods lacks the current sidecar by now",
    "it is gone, or nothing injects it any more",
)
_NO_SIDECAR = _Goal(
    partings,
    lambda _state, _step: (),
    lambda state: state.carriers,
    lambda _workload, _state: False,
    lambda _workload, _state: dict.fromkeys(MARKS),
    "without a sidecar",
    "the same command again",
    "it has no sidecar any more",
    "it is gone, or has no sidecar any more",
)
_AGAIN = "What is done stays done: once the cluster can be read again, run the same command again."


def restart(
    waiting: Waiting, settings: RestartSettings, step: RestartWorkloads, count: Callable[[int], None]
) -> frozenset[ObjectRef]:
    """Restart what needs it now, was approved, and may be restarted when its turn comes, in the step's order; returns
    what may not any more. What else needs it by now is reported. `count` is told how many came up.

    Raises FailedError that names the workloads which did not come up.
    """
    goal = _NO_SIDECAR if step.without_sidecar else _TODAYS_SIDECAR
    state = observe(waiting.api, dry_runs=True)
    if state.unreadable:
        raise FailedError("the cluster could not be read before the restarts", details=state.unreadable, todo=_AGAIN)
    if not (step.without_sidecar or injects_at_all(state.webhooks)):
        raise FailedError(NOTHING_INJECTS, todo=MAKE_THE_TAG)
    stale, passed = goal.found(state)
    stale += goal.foretold(state, step)
    needing = {workload.ref: workload for workload in stale}
    to_restart = [needing[ref] for ref in step.workloads if ref in needing]
    known = {*step.workloads, *settings.planned, *settings.held_back, *(item.ref for item in step.left_alone)}
    others = [workload.ref for workload in stale if workload.ref not in known]
    if others and (step.id in settings.stage_ends or not settings.stage_ends):
        waiting.observer.note(f"{beyond(others)} (not restarted; {goal.command} plans it)")
    settled = {workload.ref: goal.settled for workload in goal.seen(state)}
    if not step.without_sidecar:
        settled |= {ref: no_pod(refusal.words) for ref, refusal in state.refused.items()}
    for line in needless(step.workloads, stale, settled, passed, goal.absent):
        waiting.observer.note(line)
    if not to_restart:
        return frozenset()

    def begin(workload: Workload, refused: bool) -> Begun:
        # Where its newest pods have the sidecar already, another restart would only add to the churn.
        if goal.is_on_its_way(workload, state):
            return Begun()
        return _restart(waiting.api, workload, goal, state, ask=refused)

    on_their_way = {workload.ref for workload in to_restart if goal.is_on_its_way(workload, state)}
    held = nothing_held if step.without_sidecar else gate(settings.restraint, state, on_their_way)
    jobs = {} if step.without_sidecar else old_jobs(state)
    # What loses its sidecar asks istiod for nothing.
    asked = () if step.without_sidecar else state.mesh_deployments
    istiods = [item.ref for item in asked if item.component == "istiod"]
    injected = Injected(waiting.api, to_restart)
    look = _look_at_none if step.without_sidecar else injected.look
    if state.sidecar is not None and not step.without_sidecar:
        held = one_first(held, tried_bare(to_restart, state.sidecar), injected.has_looked_at)
    window = RollingWindow(waiting, settings, begin, held, look)
    try:
        ended = window.restart(to_restart, istiods)
    finally:
        count(window.done)
    for line in not_started(ended.rest, (Why.HELD, Why.LEFT, Why.STUCK)):
        waiting.observer.note(line)
    if ended.failed:
        rest = sum(wait.why not in (Why.HELD, Why.LEFT) for wait in ended.rest)
        left = f"; {rest} more {'was' if rest == 1 else 'were'} not started" if rest else ""
        raise FailedError(
            f"{len(ended.failed)} of {len(to_restart)} workloads did not come up {goal.words}{left}",
            details=tuple(line for stuck in ended.failed for line in stuck.lines()),
            todo=f"Old pods that still run keep serving. Fix the workloads named here, then run {goal.command}.",
        )
    await_jobs(waiting, jobs, settings.jobs_seconds)
    return frozenset(wait.candidate.ref for wait in ended.rest if wait.why is Why.HELD)


def _look_at_none(_up: Sequence[ObjectRef], _queued: int) -> None:
    """What is to lose its sidecar has none when it comes up."""


def _restart(api: KubeApi, workload: Workload, goal: _Goal, state: ClusterState, *, ask: bool) -> Begun:
    """As `kubectl rollout restart` does, and notes for which sidecar.

    Dry runs before the first restart said that pods start. What may be left without one is asked about once more, and
    with `ask` whatever it is.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    patch = {"spec": {"template": {"metadata": {"annotations": {_RESTARTED_AT: now, **goal.marks(workload, state)}}}}}
    try:
        alone = 0 < workload.desired <= workload.max_unavailable
        if (ask or alone) and (why := refused_now(api, workload)):
            return Begun(left=no_pod(why))
        written = api.merge_patch(path_of(workload.ref), patch)
    except KubeError as error:
        return Begun(refused=f"not restarted: {', '.join((error.what, *error.details))}")
    return Begun(int((written.get("metadata") or {}).get("generation", 0)))
