"""What came of one command, as Azure DevOps gets it: issues with stable codes, and output variables. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sohistio.checks.result import CheckResult, Result
from sohistio.errors import ExitCode, SohistioError
from sohistio.plan.plan import Plan
from sohistio.plan.risk import Risk
from sohistio.plan.tally import tally_of
from sohistio.run.progress import RunResult, StepState

_CODES = {
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "wrong-usage",
    ExitCode.REFUSED: "refused",
    ExitCode.VERIFICATION_FAILED: "verification-failed",
    ExitCode.INTERRUPTED: "interrupted",
}
_OUTCOMES: Mapping[int, str] = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "wrongUsage",
    ExitCode.REFUSED: "refused",
    ExitCode.CHANGES_PENDING: "changesPending",
    ExitCode.VERIFICATION_FAILED: "verificationFailed",
    ExitCode.INTERRUPTED: "interrupted",
}


class IssueType(StrEnum):
    """The two that the agent knows."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of the build; `code` is stable, so that a query over builds can go by it."""

    type: IssueType
    code: str
    message: str


class Stage(StrEnum):
    """When checks were made: their JUnit file and their output variable are named after it."""

    PREFLIGHT = "preflight"
    VERIFICATION = "verification"


@dataclass(frozen=True, slots=True)
class Suite:
    """Checks that were made together."""

    stage: Stage
    environment: str
    checks: tuple[CheckResult, ...]

    @property
    def worth_a_look(self) -> tuple[CheckResult, ...]:
        """The ones that do not hold, errors first."""
        failed = [check for check in self.checks if check.result is Result.FAILED]
        return tuple(sorted(failed, key=lambda check: not check.breaks))


@dataclass(frozen=True, slots=True)
class Carried:
    """A plan that was shown, and how its run ended; None where it was not carried out."""

    plan: Plan
    result: RunResult | None = None

    @property
    def changed(self) -> bool:
        """Whether its run may have written anything: each step but one that only reads counts once it was begun."""
        steps = self.result.steps if self.result else ()
        return any(step.state is not StepState.NOT_STARTED and step.step.risk is not Risk.READ for step in steps)

    @property
    def restarts(self) -> int:
        """Workloads whose restart is done."""
        return self.result.restarted if self.result else 0


@dataclass(frozen=True, slots=True)
class Section:
    """A table of a command that has neither a plan nor checks to show."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class Facts:
    """What one command has said. `command` is its first word; with `only_looks` a plan was made to be read only.

    `asked` is the environment that the command line names: the one it is about where it got to none.
    """

    command: str = "sohistio"
    environment: str = ""
    only_looks: bool = False
    runs: list[Carried] = field(default_factory=list)
    suites: list[Suite] = field(default_factory=list)
    errors: list[SohistioError] = field(default_factory=list)
    found: list[Issue] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)
    asked: str = ""

    def planned(self, plan: Plan) -> None:
        """A plan; a plan made again takes the place of the one before it."""
        known = self.runs[-1] if self.runs else None
        if known is not None and known.result is None and known.plan.environment == plan.environment:
            self.runs.pop()
        self.runs.append(Carried(plan))

    def checked(self, stage: Stage, environment: str, checks: Sequence[CheckResult]) -> None:
        """Checks that were made together."""
        self.suites.append(Suite(stage, environment, tuple(checks)))

    def ended(self, result: RunResult) -> None:
        """A run."""
        self.planned(result.plan)
        self.runs[-1] = Carried(result.plan, result)
        if result.checks:
            self.checked(Stage.VERIFICATION, result.plan.environment, result.checks)

    @property
    def has_something(self) -> bool:
        """Whether there is anything to tell at all: `--help` has nothing."""
        return bool(self.only_looks or self.runs or self.suites or self.errors)

    def about(self) -> str:
        """The environment, empty for several and where none is named."""
        if self.environment or self.runs:
            return self.environment or self.runs[0].plan.environment
        return "" if self.only_looks else quotable(self.asked)[:_LONGEST_NAME]

    def issues(self) -> Iterator[Issue]:
        """Each once, errors first; without the errors of the command, which were logged when they were printed."""
        found = dict.fromkeys([*self.found, *self._checks(), *self._of_runs()])
        yield from sorted(found, key=lambda issue: issue.type is not IssueType.ERROR)

    def _checks(self) -> Iterator[Issue]:
        for suite in self.suites:
            for check in suite.worth_a_look:
                hint = f" → {check.hint}" if check.hint else ""
                kind = IssueType.ERROR if check.breaks else IssueType.WARNING
                yield Issue(kind, check.name, f"{suite.environment}: {check.name}: {check.for_people}{hint}")

    def _of_runs(self) -> Iterator[Issue]:
        for run in self.runs:
            name = run.plan.environment
            if self.only_looks and not run.plan.refusal:
                for danger in run.plan.dangers:
                    yield Issue(IssueType.WARNING, "danger", f"{name}: this plan {danger}")
            if run.plan.changes.notice:
                yield Issue(IssueType.WARNING, "comparison", f"{name}: {run.plan.changes.notice}")
            for gateway, seconds in (run.result.gateway_gaps if run.result else {}).items():
                if seconds:
                    message = f"{name}: {gateway}: no ready pod for {seconds:.1f} s"
                    yield Issue(IssueType.WARNING, "gateway-without-pod", message)

    def outcome(self, code: int) -> str:
        """One word for conditions of a pipeline."""
        if code == ExitCode.OK and self.runs:
            looks = self.only_looks
            work = any(run.plan.changes_pending if looks else run.result is not None for run in self.runs)
            return ("changesPending" if looks else "done") if work else "upToDate"
        return "passed" if code == ExitCode.OK and self.suites else _OUTCOMES.get(code, "failed")

    def variables(self, code: int) -> dict[str, str]:
        """The output variables, docs/pipeline.md; with several runs the first says what it was about."""
        values = {"outcome": self.outcome(code), "exitCode": str(int(code)), "environment": self.about()}
        if self.runs:
            values |= self._of_plans()
            if code == ExitCode.REFUSED and self.errors and not values["refusal"]:
                values["refusal"] = quotable(self.errors[-1].what)
        if self.suites:
            broken = [check for suite in self.suites for check in suite.worth_a_look]
            failures = len({check.name for check in broken if check.breaks})
            values["failures"] = str(failures)
            values["warnings"] = str(len({check.name for check in broken}) - failures)
        return values | self.more

    def _of_plans(self) -> dict[str, str]:
        first, looks = self.runs[0].plan, self.only_looks
        runs = self.runs if looks else [run for run in self.runs if run.changed]
        return {
            "mode": first.mode.value,
            "installedVersion": quotable(first.installed_version),
            "targetVersion": quotable(first.target_version),
            "refusal": quotable(first.refusal),
            "changed": _boolean(any(run.plan.changes_pending if looks else run.changed for run in self.runs)),
            "changedObjects": str(sum(tally_of(run.plan).changed for run in runs)),
            "restarts": str(sum(tally_of(run.plan).restarts if looks else run.restarts for run in runs)),
        }


def quotable(text: str) -> str:
    """Text as a variable's value: a pipeline puts `$(…)` of one into scripts as it is, where nothing of a cluster's may
    be a quote, a substitution or the end of a command. What could be is left out.
    """
    return " ".join(_ACTIVE.sub(" ", text[:_LONGEST_VALUE]).split())


def error_issue(error: SohistioError) -> Issue:
    """An error as an issue: its code is its exit code's word."""
    todo = f" What to do: {error.todo}" if error.todo else ""
    lines = [line.strip() for detail in error.details for line in detail.splitlines()][:_MOST_DETAILS]
    details = f" ({'; '.join(lines)})" if lines else ""
    return Issue(IssueType.ERROR, _CODES.get(error.exit_code, "failed"), f"{error.what}{details}.{todo}")


def at_most(issues: Sequence[Issue], most: int) -> list[Issue]:
    """The first of each type, and how many there are more: an agent keeps ten of each type and drops the others."""
    kept: list[Issue] = []
    for kind in IssueType:
        of_kind = [issue for issue in issues if issue.type is kind]
        kept += of_kind[:most]
        if (more := len(of_kind) - most) > 0:
            kept.append(Issue(kind, "more", f"and {more} more: the summary has all of them"))
    return kept


def _boolean(value: bool) -> str:
    return "true" if value else "false"


_MOST_DETAILS = 3
_LONGEST_VALUE = 300
_LONGEST_NAME = 63
_ACTIVE = re.compile(r"[^\w .,:/@+=-]")
