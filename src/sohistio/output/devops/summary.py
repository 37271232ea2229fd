"""The page that a build's summary shows: what came of a command, its plan, what was restarted, what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.checks.result import CheckResult
from sohistio.errors import ExitCode, SohistioError
from sohistio.model.held_back import HeldBack
from sohistio.model.words import counted, first_lines
from sohistio.output.devops.facts import Carried, Facts, Suite
from sohistio.output.markdown import begun, page, table, text
from sohistio.output.tables import result_line
from sohistio.plan.changes import Action, ObjectChange
from sohistio.plan.drift.values import one_line as field_line
from sohistio.plan.idle import idle_words
from sohistio.plan.plan import Plan
from sohistio.plan.steps import LeftAlone, RestartWorkloads
from sohistio.plan.tally import tally_of
from sohistio.run.progress import StepResult, StepState

_MOST_STEPS = 60
_MOST_OBJECTS = 40
_MOST_WORKLOADS = 100
_MOST_CHECKS = 60
_MOST_FIELDS = 3
_MOST_DETAILS = 20
_ORDER = (Action.REMOVED, Action.CHANGED, Action.CREATED)
_STATES = {
    StepState.DONE: "done",
    StepState.FAILED: "failed",
    StepState.INTERRUPTED: "interrupted",
    StepState.NOT_STARTED: "not started",
}
_OUTCOMES = {
    "upToDate": "up to date",
    "changesPending": "changes pending",
    "wrongUsage": "wrong usage",
    "verificationFailed": "verification failed",
}


def summary(facts: Facts, code: int) -> str:
    """The whole page."""
    outcome = facts.outcome(code)
    about = f"{facts.about()}: " if facts.about() else ""
    return page(f"{about}{facts.command}, {_OUTCOMES.get(outcome, outcome)}", _sections(facts, code))


def _sections(facts: Facts, code: int) -> Iterator[list[str]]:
    if code != ExitCode.OK and not facts.errors:
        yield [f"Exit code {int(code)}."]
    for run in facts.runs:
        yield [begun(_quotable(run, facts))]
    for error in facts.errors:
        yield _error(error)
    several = len(facts.runs) > 1
    for run in facts.runs:
        yield from _head(run, _of(run, several))
    for suite in facts.suites:
        yield _checks(suite)
    for section in facts.sections:
        yield [f"## {section.title}", "", *table(section.columns, section.rows, most=_MOST_CHECKS)]
    for run in facts.runs:
        yield from _of_run(run, _of(run, several))


def _of(run: Carried, several: bool) -> str:
    """For headings, where there is more than one plan."""
    return f" of {text(run.plan.environment)}" if several else ""


def _quotable(run: Carried, facts: Facts) -> str:
    """The line that a message or a change request may quote."""
    plan, words = run.plan, tally_of(run.plan).words()
    if run.result is not None:
        return result_line(run.result).plain
    if plan.refusal:
        return f"{plan.environment}: refused: {plan.refusal}"
    if not plan.changes_pending:
        return f"{plan.environment}: {idle_words(plan)}{'' if facts.only_looks else ', nothing was written'}"
    return f"{plan.environment}: to do: {words}" if facts.only_looks else f"{plan.environment}: nothing was written"


def _error(error: SohistioError) -> list[str]:
    lines = ["## Error", "", f"**{text(error.what)}.**", ""]
    details = [line for detail in error.details for line in detail.splitlines() if line.strip()]
    lines += [f"- {begun(line.strip())}" for line in first_lines(details, _MOST_DETAILS, "lines")]
    lines += [""] if details else []
    return [
        *lines,
        *([f"What to do: {text(error.todo)}", ""] if error.todo else []),
        f"Exit code {int(error.exit_code)}.",
    ]


def _checks(suite: Suite) -> list[str]:
    found = suite.worth_a_look
    title = f"## Checks: {suite.stage.value} of {text(suite.environment)}"
    if not found:
        return [
            title,
            "",
            f"{counted(len({check.name for check in suite.checks}), 'check')}: none failed, none warned.",
        ]
    return [title, "", *table(("check", "", "what was found", "what to do"), map(_check, found), most=_MOST_CHECKS)]


def _check(check: CheckResult) -> tuple[str, ...]:
    return check.name, "failed" if check.breaks else "warning", check.for_people, check.hint


def _head(run: Carried, of: str) -> Iterator[list[str]]:
    """The decision and its reasons, the person's own, and what is dangerous about it."""
    plan, entry = run.plan, run.result.entry if run.result else None
    rows = [
        ("cluster", plan.cluster),
        ("installed before", plan.installed_version or "-"),
        ("target", plan.target_version or "-"),
        ("mode", plan.mode.value),
        *(("" if number else "because", reason) for number, reason in enumerate(plan.reasons)),
        *([("reason", entry.reason)] if entry and entry.reason else []),
    ]
    yield [f"## Plan{of}", "", *table(("", ""), rows, most=_MOST_STEPS)]
    for danger in () if plan.refusal else plan.dangers:
        yield [f"**This plan {text(danger)}.**"]


def _of_run(run: Carried, of: str) -> Iterator[list[str]]:
    plan = run.plan
    yield _steps(run, of)
    yield from _workloads(run, of)
    yield _objects(plan, of)
    yield [f"## Notes{of}", "", *(f"- {begun(notice)}" for notice in plan.notices)] if plan.notices else []


def _steps(run: Carried, of: str) -> list[str]:
    phases = {step.id: phase.name for phase in run.plan.phases for step in phase.steps}
    if not phases:
        return []
    rows: Sequence[tuple[str, ...]]
    if run.result is None:
        rows = [(phases[step.id], step.summary, step.risk.value) for step in run.plan.steps]
        return [f"## Steps{of}", "", *table(("phase", "step", "risk"), rows, most=_MOST_STEPS)]
    rows = [
        (phases[item.step.id], item.step.summary, item.step.risk.value, _STATES[item.state], _seconds(item))
        for item in run.result.steps
    ]
    return [f"## Steps{of}", "", *table(("phase", "step", "risk", "state", "seconds"), rows, most=_MOST_STEPS)]


def _seconds(item: StepResult) -> str:
    return "-" if item.state is StepState.NOT_STARTED else f"{item.seconds:.1f}"


def _workloads(run: Carried, of: str) -> Iterator[list[str]]:
    """What was restarted, or is to be, and what was left alone, with the reason."""
    states = {item.step.id: _STATES[item.state] for item in (run.result.steps if run.result else ())}
    steps = [step for step in run.plan.steps if isinstance(step, RestartWorkloads)]
    rows = [(str(ref), states.get(step.id, "to do")) for step in steps for ref in step.workloads]
    if rows:
        yield [f"## Restarts{of}", "", *table(("workload", "restart"), rows, most=_MOST_WORKLOADS)]
    left: list[LeftAlone | HeldBack] = [item for step in steps for item in step.left_alone]
    left += run.plan.held_back
    if left:
        columns = ("workload", "why", "what to do")
        yield [f"## Left alone{of}", "", *table(columns, map(_left_alone, left), most=_MOST_WORKLOADS)]


def _left_alone(item: LeftAlone | HeldBack) -> tuple[str, ...]:
    return str(item.ref), item.words if isinstance(item, HeldBack) else item.reason, item.todo


def _objects(plan: Plan, of: str) -> list[str]:
    """What is removed comes first, then what differs (by somebody's hand before all), then what is not there yet."""
    if not plan.changes:
        return []
    weight = {action: number for number, action in enumerate(_ORDER)}

    def heaviest(change: ObjectChange) -> tuple[int, bool]:
        return weight[change.action], not any(field.manager for field in change.fields)

    rows = [
        (
            change.action.value,
            str(change.ref),
            change.component,
            "; ".join(map(field_line, change.fields[:_MOST_FIELDS])),
        )
        for change in sorted(plan.changes.objects, key=heaviest)
    ]
    columns = ("", "object", "part of", "fields")
    return [f"## Objects{of}: {plan.changes.summary()}", "", *table(columns, rows, most=_MOST_OBJECTS)]
