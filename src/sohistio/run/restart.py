"""Carries a restart out: bounded waves, each rollout awaited, a failure budget, never below a disruption budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.errors import FailedError
from sohistio.model.rollout import Progress
from sohistio.model.staleness import MARKS, is_current, restart_marks, was_tried
from sohistio.model.state import Budget, ClusterState, Workload
from sohistio.plan.steps import LeftAlone, RestartWorkloads
from sohistio.postinstall import beyond, budgets_of, needless, partings, restarts, waves
from sohistio.run.hanging import Stuck
from sohistio.run.tools import RestartSettings
from sohistio.run.wait import Waiting

# The annotation of `kubectl rollout restart`.
_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


@dataclass(frozen=True, slots=True)
class _Goal:
    """What a restart is for: which workloads it takes and which it leaves, of those `seen`, which are on their way
    already, and how it is reported; `settled` is said of one that needs it no more, `absent` of one that is not found.

    `marks` are the annotations that say what a workload is restarted for, None where it is to lose its sidecar.
    """

    found: Callable[[ClusterState], tuple[list[Workload], list[LeftAlone]]]
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
    lambda state: state.carriers,
    lambda _workload, _state: False,
    lambda _workload, _state: dict.fromkeys(MARKS),
    "without a sidecar",
    "the same command again",
    "it has no sidecar any more",
    "it is gone, or has no sidecar any more",
)
_AGAIN = "What is done stays done: once the cluster can be read again, run the same command again."


def restart(waiting: Waiting, settings: RestartSettings, step: RestartWorkloads) -> None:
    """Restart what needs it now and was approved; what else needs it by now is reported.

    Raises FailedError that names the workloads which did not come up.
    """
    goal = _NO_SIDECAR if step.without_sidecar else _TODAYS_SIDECAR
    state = observe(waiting.api, dry_runs=True)
    if state.unreadable:
        raise FailedError("the cluster could not be read before the restarts", details=state.unreadable, todo=_AGAIN)
    stale, passed = goal.found(state)
    to_restart = [workload for workload in stale if workload.ref in step.workloads]
    if others := [workload.ref for workload in stale if workload.ref not in step.workloads]:
        waiting.observer.note(f"{beyond(others)} (not restarted; {goal.command} plans it)")
    seen = [workload.ref for workload in goal.seen(state)]
    for line in needless(step.workloads, stale, dict.fromkeys(seen, goal.settled), passed, goal.absent):
        waiting.observer.note(line)
    planned = waves(to_restart, state.budgets, settings.parallel)
    failed: list[Stuck] = []
    for number, wave in enumerate(planned, start=1):
        names = ", ".join(str(workload.ref) for workload in wave)
        waiting.observer.note(f"wave {number} of {len(planned)}: {names}")
        failed += _wave(waiting, wave, (goal, state), settings)
        if len(failed) >= settings.max_failures:
            break
    if failed:
        rest = sum(len(wave) for wave in planned[number:])
        left = f"; {rest} more {'was' if rest == 1 else 'were'} not started" if rest else ""
        raise FailedError(
            f"{len(failed)} of {len(to_restart)} workloads did not come up {goal.words}{left}",
            details=tuple(line for stuck in failed for line in stuck.lines()),
            todo=f"Old pods that still run keep serving. Fix the workloads named here, then run {goal.command}.",
        )


def _wave(
    waiting: Waiting, wave: Sequence[Workload], aim: tuple[_Goal, ClusterState], settings: RestartSettings
) -> list[Stuck]:
    """Restart and await a wave. One that cannot be restarted is among the stuck, and holds up none of the others."""
    goal, state = aim
    stuck: list[Stuck] = []
    started: list[Workload] = []
    for workload in wave:
        reason = ""
        # Where its newest pods have the sidecar already, another restart would only add to the churn.
        if not goal.is_on_its_way(workload, state):
            budgets = budgets_of(workload, state.budgets)
            reason = _await_budgets(waiting, workload, budgets, settings.workload_seconds)
            reason = reason or _restart(waiting.api, workload, goal.marks(workload, state))
        if reason:
            stuck.append(Stuck(workload.ref, Progress(0, workload.desired, False, reason), ()))
        else:
            started.append(workload)
    return stuck + waiting.rollouts([(workload.ref, 0) for workload in started], settings.workload_seconds)


def _restart(api: KubeApi, workload: Workload, marks: Mapping[str, str | None]) -> str:
    """As `kubectl rollout restart` does, and notes for which sidecar.

    Returns why it was refused (an admission policy, say), empty if it was not.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    patch = {"spec": {"template": {"metadata": {"annotations": {_RESTARTED_AT: now, **marks}}}}}
    try:
        api.merge_patch(path_of(workload.ref), patch)
    except KubeError as error:
        return f"not restarted: {': '.join((error.what, *error.details))}"
    return ""


def _await_budgets(waiting: Waiting, workload: Workload, budgets: Sequence[Budget], seconds: float) -> str:
    """Wait until every budget over the workload allows as many pods away as its update takes down at a time.

    Returns why there was no waiting any longer, empty once all of them do.
    """
    if workload.max_unavailable == 0:
        return ""
    with waiting.at_most(seconds, f"{workload.ref}: its disruption budget allows no restart") as limit:
        for budget in budgets:
            path = path_of(budget.ref)
            while True:
                live = waiting.api.get(path)
                allowed = int(((live or {}).get("status") or {}).get("disruptionsAllowed", 0))
                if live is None or allowed >= workload.max_unavailable:
                    break
                if limit.passed:
                    return (
                        f"not restarted: {budget.ref} lets {allowed} pods be away (is one not ready?), "
                        f"its update takes {workload.max_unavailable} down at a time"
                    )
                waiting.pause()
    return ""
