"""What a run tells while it works. Plain data and one protocol; live displays and plain lines both read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from sohistio.checks.result import CheckResult, check_document
from sohistio.errors import ExitCode, SohistioError
from sohistio.model.document import SCHEMA_VERSION
from sohistio.model.record import RunEntry, run_document
from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import Step
from sohistio.plan.tally import Tally, tally_of


class StepState(StrEnum):
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_STARTED = "notStarted"


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step's end and how long it took, in seconds."""

    step: Step
    state: StepState
    seconds: float


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came of a plan. `gateway_gaps` is the seconds each gateway had no ready pod while the run worked.

    `restarted` is how many workloads it restarted to their end.

    `entry` is the run as the record has it, None where nothing was written.
    """

    plan: Plan
    steps: tuple[StepResult, ...]
    checks: tuple[CheckResult, ...]
    error: SohistioError | None
    seconds: float
    gateway_gaps: Mapping[str, float] = field(default_factory=dict)
    entry: RunEntry | None = None
    restarted: int = 0

    @property
    def tally(self) -> Tally:
        """What the plan comes to, with the restarts that there were: some are held back, or no longer needed."""
        return replace(tally_of(self.plan), restarts=self.restarted)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code (docs/modes-and-safety.md#exit-codes)."""
        if self.error is not None:
            return self.error.exit_code
        return ExitCode.VERIFICATION_FAILED if any(check.breaks for check in self.checks) else ExitCode.OK

    @property
    def outcome(self) -> str:
        """One word for machines."""
        words = {
            ExitCode.OK: "done" if self.steps else "upToDate",
            ExitCode.VERIFICATION_FAILED: "verificationFailed",
            ExitCode.INTERRUPTED: "interrupted",
        }
        return words.get(self.exit_code, "failed")

    def document(self) -> dict[str, object]:
        """The result as versioned JSON."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "kind": "RunResult",
            "outcome": self.outcome,
            "exitCode": int(self.exit_code),
            "seconds": round(self.seconds, 1),
            "gatewaySecondsWithoutReadyPod": {name: round(gap, 1) for name, gap in self.gateway_gaps.items()},
            "error": self.error.document() if self.error else None,
            "run": run_document(self.entry) if self.entry else None,
            "tally": self.tally.document(),
            "steps": [
                {"id": result.step.id, "state": result.state.value, "seconds": round(result.seconds, 1)}
                for result in self.steps
            ],
            "checks": [check_document(check) for check in self.checks],
            "plan": self.plan.document(),
        }


class Observer(Protocol):
    """Hears everything, from the run's own thread, in order."""

    def phase_started(self, phase: Phase) -> None:
        """A phase begins."""

    def step_started(self, step: Step) -> None:
        """A step begins."""

    def rollouts(self, progress: dict[ObjectRef, Progress]) -> None:
        """How far the rollouts of the current step are; called when something changed."""

    def note(self, line: str) -> None:
        """Something worth reading, such as why a pod hangs."""

    def figures(self, line: str) -> None:
        """How the running step stands; the next such line takes the place of this one."""

    def step_finished(self, result: StepResult) -> None:
        """A step ended."""
