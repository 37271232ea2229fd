"""Watches traffic that has moved already. Nothing is written, so there is neither a lock nor an entry in the record."""

from __future__ import annotations

import time

from sohistio.adapters.kubernetes.hold import Hold
from sohistio.errors import InterruptedRunError, SohistioError
from sohistio.plan.failover_steps import WatchHealth
from sohistio.planning.planned import Planned
from sohistio.run.after_a_move import explain
from sohistio.run.failover import Traffic
from sohistio.run.progress import RunResult, StepResult, StepState
from sohistio.run.reporter import Reporter
from sohistio.run.wait import Waiting
from sohistio.run.watch_health import watch_health
from sohistio.system.interruption import stop_event

_LAST_ROUND_SECONDS = 60.0
"""More than the requests take that are under way at the end of the watch."""


def watch_traffic(planned: Planned, reporter: Reporter, traffic: Traffic) -> RunResult:
    """Carry out the plan's watch, its only step, and report how it ended."""
    plan, begun = planned.plan, time.monotonic()
    phase = plan.phases[0]
    (step,) = (step for step in phase.steps if isinstance(step, WatchHealth))
    with stop_event() as stop, reporter.observer() as observer:
        hold = Hold(stop)
        hold.keep()  # there is no lock to lose
        observer.phase_started(phase)
        observer.step_started(step)
        ended, error = _watched(
            traffic, Waiting(planned.session.api, observer, hold, begun + step.seconds + _LAST_ROUND_SECONDS), step
        )
        observer.step_finished(ended)
    if error is not None:
        explain(error, traffic, (ended,))
    result = RunResult(plan, (ended,), (), error, time.monotonic() - begun)
    reporter.result(result)
    return result


def _watched(traffic: Traffic, waiting: Waiting, step: WatchHealth) -> tuple[StepResult, SohistioError | None]:
    begun = time.monotonic()
    error: SohistioError | None = None
    state = StepState.DONE
    try:
        watch_health(traffic, waiting, step)
    except InterruptedRunError as interrupted:
        error, state = interrupted, StepState.INTERRUPTED
    except SohistioError as failure:
        error, state = failure, StepState.FAILED
    return StepResult(step, state, time.monotonic() - begun), error
