"""Carries a Plan out, step by step: timing, interruption, and what was done at the end."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from sohistio.errors import ExitCode, FailedError, InterruptedRunError, SohistioError
from sohistio.plan import Plan
from sohistio.progress import Observer, RunResult, StepResult, StepState
from sohistio.run.execute import Execution
from sohistio.run.gateway_watch import GatewayWatch
from sohistio.run.recording import Recorder
from sohistio.run.tools import Tools
from sohistio.run.waiting import Waiting
from sohistio.steps import Step


@dataclass(frozen=True, slots=True)
class Runner:
    """One run of a plan. `stop` is set by the signal handler; `total_seconds` bounds the whole run."""

    tools: Tools
    observer: Observer
    recorder: Recorder
    stop: threading.Event
    total_seconds: float

    def carry_out(self, plan: Plan) -> RunResult:
        """Run every step in order; the first failure or an interrupt ends it. The recorder has begun."""
        started = time.monotonic()
        run = Execution(self.tools, Waiting(self.tools.api, self.observer, self.stop, started + self.total_seconds))
        gateways = [item.ref for mesh in self.tools.meshes.values() for item in mesh.gateways if not item.is_off]
        with GatewayWatch(self.tools.api, tuple(dict.fromkeys(gateways))) as watch:
            results, error = self._steps(run, plan)
        if isinstance(error, InterruptedRunError):
            error = InterruptedRunError(error.what, details=_done_so_far(results), todo=_GO_ON)
        result = RunResult(plan, tuple(results), run.checks, error, time.monotonic() - started, watch.seconds)
        self.recorder.end(result, run.backup)
        return result

    def _steps(self, run: Execution, plan: Plan) -> tuple[list[StepResult], SohistioError | None]:
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
        return results, error

    def _one(self, run: Execution, step: Step) -> tuple[StepResult, SohistioError | None]:
        self.observer.step_started(step)
        self.recorder.step(step, run.backup)
        started = time.monotonic()
        error: SohistioError | None = None
        state = StepState.DONE
        try:
            run.waiting.pause(0)
            run.execute(step)
        except InterruptedRunError as interrupted:
            error, state = interrupted, StepState.INTERRUPTED
        except SohistioError as failure:
            if self.stop.is_set():  # the tool that failed was most likely interrupted as well
                error, state = InterruptedRunError("interrupted"), StepState.INTERRUPTED
            else:
                error, state = _at_work(failure), StepState.FAILED
        return StepResult(step, state, time.monotonic() - started), error


_GO_ON = "What is done stays done: run the same command again, it looks at the cluster and goes on."


def _at_work(failure: SohistioError) -> SohistioError:
    """A failure while at work is exit code 1 whatever its kind, as something may have been touched; or 5."""
    if failure.exit_code in (ExitCode.FAILED, ExitCode.VERIFICATION_FAILED):
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
