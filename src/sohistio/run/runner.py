"""Carries a Plan out, step by step: timing, interruption, and what was done at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from sohistio.adapters.kubernetes.hold import Hold
from sohistio.errors import ExitCode, FailedError, InterruptedRunError, LockLostError, SohistioError
from sohistio.plan.adoption_steps import MoveFieldManagers, StopOperator
from sohistio.plan.authority_steps import WriteAuthority
from sohistio.plan.backup_steps import RestoreAuthority, RestoreObjects
from sohistio.plan.plan import Plan
from sohistio.plan.steps import (
    AwaitRollouts,
    InstallIstio,
    RemoveObjects,
    RestartWorkloads,
    ScaleUp,
    Step,
    UninstallIstio,
)
from sohistio.plan.webhook_steps import RepairWebhooks
from sohistio.run.after_a_move import explain
from sohistio.run.aftermath import lead, without_control_plane
from sohistio.run.execute import Execution
from sohistio.run.gateway_watch import SAMPLE_SECONDS, SELDOM_SECONDS, GatewayWatch
from sohistio.run.progress import Observer, RunResult, StepResult, StepState
from sohistio.run.recorder import Recorder
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting
from sohistio.run.webhooks import put_right
from sohistio.system.crash_log import crash_log


@dataclass(frozen=True, slots=True)
class Runner:
    """One run of a plan. `hold` says whether it may write, and when to stop; `total_seconds` bounds the whole run."""

    tools: Tools
    observer: Observer
    recorder: Recorder
    hold: Hold
    total_seconds: float

    def carry_out(self, plan: Plan) -> RunResult:
        """Run every step in order; the first failure or an interrupt ends it. The recorder has begun."""
        started = time.monotonic()
        waiting = Waiting(self.tools.api, self.observer, self.hold, started + self.total_seconds)
        run = Execution(replace(self.tools, api=waiting.api), waiting, self.recorder)
        gateways = [item.ref for mesh in self.tools.meshes.values() for item in mesh.gateways if not item.is_off]
        brief = self.tools.api.within(_LOOK_SECONDS)
        with GatewayWatch(brief, tuple(dict.fromkeys(gateways))) as watch, waiting.outage:
            results, error = self._steps(run, plan, watch)
        if self.tools.traffic is not None:
            self.tools.traffic.first_answer.end()
        if isinstance(error, InterruptedRunError):
            error = self._stopped(error, results)
        if error is not None and plan.purges and run.backup:
            kept = f"Keep this run's backup, {run.backup}: the next one has only what is left by then."
            error.remedy = f"{error.remedy} {kept}".strip()
        result = RunResult(
            plan, tuple(results), run.checks, error, time.monotonic() - started, watch.seconds, restarted=run.restarted
        )
        # First the record: it waits for a server that is away, and what is there is looked at once that is back.
        self.recorder.end(result, run.backup, self.observer.note)
        result = replace(result, entry=self.recorder.entry)
        if error is not None and self.tools.traffic is not None:
            explain(error, self.tools.traffic, results)
        elif error is not None:
            lead(error, without_control_plane(self.tools.api, results))
        return result

    def _stopped(self, error: InterruptedRunError, results: list[StepResult]) -> SohistioError:
        done = _done_so_far(results)
        if self.hold.lost.is_set():
            return LockLostError("the run lost its lock", details=done, todo=_LOST, again="Then run it again.")
        return InterruptedRunError(error.what, details=done, todo=_GO_ON, again="To go on, run the same command again.")

    def _steps(self, run: Execution, plan: Plan, watch: GatewayWatch) -> tuple[list[StepResult], SohistioError | None]:
        results: list[StepResult] = []
        error: SohistioError | None = None
        about_traffic = plan.mode.is_about_traffic
        if not about_traffic and not any(isinstance(step, RepairWebhooks) for step in plan.steps):
            self._put_webhooks_right(run)
        for phase in plan.phases:
            if error is None:
                self.observer.phase_started(phase)
            for step in phase.steps:
                if error is not None:
                    results.append(StepResult(step, StepState.NOT_STARTED, 0.0))
                    continue
                watch.every = SELDOM_SECONDS if isinstance(step, RestartWorkloads) else SAMPLE_SECONDS
                result, error = self._one(run, step)
                results.append(result)
                if not about_traffic and isinstance(step, _MAY_BREAK_WEBHOOKS):
                    self._put_webhooks_right(run)
                self.observer.step_finished(result)
        return results, error

    def _put_webhooks_right(self, run: Execution) -> None:
        """None of the mesh's may refuse everything because no istiod answers: not for as long as the next step takes,
        and not after a failure. What cannot be put right is said, and fails nothing: the verification looks again.
        """
        try:
            put_right(run.tools.api.within(_WEBHOOK_SECONDS), self.observer.note)
        except InterruptedRunError:
            return  # the next step says so
        except SohistioError as error:
            self.observer.note(f"not known whether every webhook reaches an istiod: {error.brief()}")

    def _one(self, run: Execution, step: Step) -> tuple[StepResult, SohistioError | None]:
        self.observer.step_started(step)
        started = time.monotonic()
        error: SohistioError | None = None
        state = StepState.DONE
        try:
            with run.waiting.at_most(0, f"this has not begun: {step.summary}"):
                run.waiting.pause(0)
            self.recorder.step(step, run.backup)
            run.execute(step)
        except InterruptedRunError as interrupted:
            error, state = interrupted, StepState.INTERRUPTED
        except SohistioError as failure:
            if self.hold.stop.is_set():  # the tool that failed was most likely interrupted as well
                error, state = InterruptedRunError("interrupted"), StepState.INTERRUPTED
            else:
                error, state = _at_work(failure), StepState.FAILED
        except MemoryError:
            raise
        except Exception as bug:  # noqa: BLE001 — the run has to end with its document and a closed record
            error, state = _unexpected(step, bug), StepState.FAILED
        return StepResult(step, state, time.monotonic() - started), error


_LOOK_SECONDS, _WEBHOOK_SECONDS = 2.0, 10.0
# After the others nothing is different about webhooks or istiod.
_MAY_BREAK_WEBHOOKS = (
    RepairWebhooks,
    StopOperator,
    MoveFieldManagers,
    UninstallIstio,
    InstallIstio,
    ScaleUp,
    AwaitRollouts,
    RemoveObjects,
    RestoreObjects,
    RestoreAuthority,
    WriteAuthority,
)
_LOST = (
    "Another run has it, or somebody freed it (the reason is on Lease istio-system/sohistio). "
    "Look who is at work now (`sohistio history`)."
)
_MEND = "What is done stays done: fix what it names."
_AGAIN = "Then run the same command again."
_GO_ON = "What is done stays done: the next run looks at the cluster first."


def _at_work(failure: SohistioError) -> SohistioError:
    """A failure while at work is exit code 1 whatever its kind, as something may have been touched; or 5."""
    if failure.exit_code in (ExitCode.FAILED, ExitCode.VERIFICATION_FAILED):
        _say_what_to_do(failure)
        return failure
    failed = FailedError(failure.what, details=failure.details, todo=failure.remedy, again=failure.again)
    _say_what_to_do(failed)
    return failed


def _say_what_to_do(failure: SohistioError) -> None:
    if not failure.todo:
        failure.remedy, failure.again = _MEND, _AGAIN


def _unexpected(step: Step, bug: Exception) -> FailedError:
    return FailedError(
        f"the step {step.id} failed unexpectedly",
        details=crash_log(bug),
        todo="Report it with that file, please. What is done stays done.",
        again="Once the cause is gone, run it again.",
    )


def _done_so_far(results: list[StepResult]) -> tuple[str, ...]:
    words = {
        StepState.DONE: "done",
        StepState.INTERRUPTED: "interrupted, may be half done",
        StepState.NOT_STARTED: "not started",
        StepState.FAILED: "failed",
    }
    return tuple(f"{words[result.state]}: {result.step.summary}" for result in results)
