"""Carries a Plan out, step by step: timing, interruption, and what was done at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sohistio.checks import CheckResult
from sohistio.errors import FailedError, InterruptedRunError, SohistioError
from sohistio.plan import Plan, Step
from sohistio.progress import Observer, RunResult, StepResult, StepState
from sohistio.run import steps
from sohistio.run.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Runner:
    """One run of a plan. `stop` is set by the signal handler; `total_seconds` bounds the whole run."""

    tools: steps.Tools
    observer: Observer
    stop: threading.Event
    total_seconds: float
    clock: Callable[[], float] = time.monotonic

    def carry_out(self, plan: Plan) -> RunResult:
        """Run every step in order; the first failure or an interrupt ends it. Never raises SohistioError."""
        started = self.clock()
        waiting = Waiting(self.tools.api, self.observer, self.stop, started + self.total_seconds)
        run = steps.Execution(self.tools, waiting)
        results: list[StepResult] = []
        error: SohistioError | None = None
        for phase in plan.phases:
            if error is None:
                self.observer.phase_started(phase)
            for step in phase.steps:
                if error is not None:
                    results.append(StepResult(step, StepState.NOT_STARTED, 0.0))
                    continue
                result, error = self._one(run, step)
                results.append(result)
                self.observer.step_finished(result)
        if isinstance(error, InterruptedRunError):
            error = InterruptedRunError(error.what, details=_done_so_far(results), todo=_GO_ON)
        checks: tuple[CheckResult, ...] = tuple(run.checks)
        return RunResult(plan, tuple(results), checks, error, self.clock() - started)

    def _one(self, run: steps.Execution, step: Step) -> tuple[StepResult, SohistioError | None]:
        self.observer.step_started(step)
        started = self.clock()
        error: SohistioError | None = None
        state = StepState.DONE
        try:
            if self.stop.is_set():
                raise InterruptedRunError("interrupted")
            run.execute(step)
        except InterruptedRunError as interrupted:
            error, state = interrupted, StepState.INTERRUPTED
        except SohistioError as failure:
            error, state = _at_work(failure), StepState.FAILED
        return StepResult(step, state, self.clock() - started), error


_GO_ON = "What is done stays done: run the same command again, it looks at the cluster and goes on."


def _at_work(failure: SohistioError) -> SohistioError:
    """A failure while at work is exit code 1, whatever its kind: something may have been touched."""
    if failure.exit_code is FailedError.exit_code:
        return failure
    return FailedError(failure.what, details=failure.details, todo=failure.todo)


def _done_so_far(results: list[StepResult]) -> tuple[str, ...]:
    words = {
        StepState.DONE: "done",
        StepState.INTERRUPTED: "interrupted, may be half done",
        StepState.NOT_STARTED: "not started",
        StepState.FAILED: "failed",
    }
    return tuple(f"{words[result.state]}: {result.step.summary}" for result in results)
