"""Plans, checks and results as tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sohistio.checks.result import CheckResult, Result
from sohistio.model.failover_mark import Stage
from sohistio.model.fault import Severity
from sohistio.model.held_back import HeldGroup, Why, groups_of
from sohistio.model.mode import Mode
from sohistio.model.restart_reason import RestartReason
from sohistio.model.words import first_names
from sohistio.output.console import SafeConsole
from sohistio.output.fitted import Hanging
from sohistio.plan.changes import Action, Changes
from sohistio.plan.drift.folded import diff_lines
from sohistio.plan.drift.values import one_line
from sohistio.plan.failover_steps import MarkFailover
from sohistio.plan.left_alone import alike, line_of
from sohistio.plan.plan import Plan
from sohistio.plan.risk import Risk
from sohistio.plan.steps import BY_HAND, LeftAlone, RestartWorkloads, UninstallIstio
from sohistio.run.progress import RunResult, StepState

_RISK_STYLE = {Risk.READ: "dim", Risk.CHANGE: "cyan", Risk.DISRUPT: "yellow", Risk.DESTROY: "bold red"}
_ACTION_SIGN = {Action.CREATED: ("+", "green"), Action.CHANGED: ("~", "yellow"), Action.REMOVED: ("-", "red")}
MOST_LISTED = 12
_MOST_FIELDS = 2
# Each is named before anybody says yes; beyond that nobody reads them one by one.
_MOST_RESTARTS = 200


def plan_view(plan: Plan, *, diff: bool = False, full: bool = False) -> RenderableType:
    """A plan: the decision and its reasons, what changes, the steps, and what is left alone.

    With `diff` every object and field, long values folded unless in `full`.
    """
    dangers = () if plan.refusal else plan.dangers
    head = Table.grid(padding=(0, 2))
    head.add_column(style="bold")
    head.add_column(overflow="fold")
    head.add_row("environment", plan.environment)
    head.add_row("cluster", plan.cluster)
    head.add_row("installed", plan.installed_version or "-")
    head.add_row("target", plan.target_version or "-")
    idle = "none (nothing to do now)" if plan.held_back else "none (up to date)"
    mode = idle if plan.mode is Mode.NONE and not plan.changes_pending else plan.mode.value
    head.add_row("mode", Text(mode, style="bold red" if plan.refusal else "bold green"))
    for number, reason in enumerate(plan.reasons):
        head.add_row("" if number else "because", reason)
    parts: list[RenderableType] = [Text(f"This plan {words}.", style="bold red") for words in dangers]
    parts += [Text(""), head] if dangers else [head]
    if plan.changes:
        parts += [Text(""), Text(f"Changes: {plan.changes.summary()}", style="bold"), *_changes(plan, diff, full)]
    if plan.phases:
        parts += [Text(""), _steps(plan)]
    parts += _left_alone(plan)
    parts += [Text(f"Note: {notice}", style="yellow") for notice in plan.notices]
    return Group(*parts)


def _changes(plan: Plan, diff: bool, full: bool) -> list[RenderableType]:
    changes = plan.changes
    lines: list[RenderableType] = [Text(f"  {name}: {_counted(part)}") for name, part in changes.components.items()]
    lines.append(Text(""))
    # What is there and differs says more than what is not there yet.
    newest_last = sorted(changes.objects, key=lambda change: change.action is Action.CREATED)
    shown = changes.objects if diff else newest_last[:MOST_LISTED]
    for change in shown:
        sign, style = _ACTION_SIGN[change.action]
        lines.append(Text(f"  {sign} {change.ref}", style=style))
        if diff:
            lines += [_diff_line(line) for line in diff_lines(change.fields, full=full)]
            continue
        fields = sorted(change.fields, key=lambda field: not field.manager)[:_MOST_FIELDS]
        lines += [Padding(Text(one_line(field)), (0, 0, 0, 6), expand=False) for field in fields]
        if more := len(change.fields) - len(fields):
            lines.append(Text(f"      and {more} more field{'s' if more > 1 else ''}", style="dim"))
    if len(changes.objects) > len(shown):
        flag = "--check" if plan.mode is Mode.SYNC else "--diff"
        lines.append(Text(f"  and {len(changes.objects) - len(shown)} more ({flag} shows all)", style="dim"))
    return lines


def _counted(changes: Changes) -> str:
    return ", ".join(f"{count} {action}" for action in Action if (count := changes.count(action)))


def _diff_line(line: str) -> Text:
    style = {"-": "red", "+": "green", "@": "cyan"}.get(line.strip()[:1] if line.startswith("  ") else "", "")
    return Text(f"      {line}", style=style)


def _steps(plan: Plan) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="bold", pad_edge=False)
    for column in ("phase", "step", "risk"):
        table.add_column(column, overflow="fold")
    for phase in plan.phases:
        for number, step in enumerate(phase.steps):
            risk = Text(step.risk.value, style=_RISK_STYLE[step.risk])
            table.add_row("" if number else phase.name, step.summary, risk)
            if isinstance(step, RestartWorkloads):
                for ref in step.workloads[:_MOST_RESTARTS]:
                    table.add_row("", Text(f"  {ref}", style="dim"), "")
                if len(step.workloads) > _MOST_RESTARTS:
                    more = f"  and {len(step.workloads) - _MOST_RESTARTS} more (--output json has them all)"
                    table.add_row("", Text(more, style="dim"), "")
                for reason in step.reasons[:MOST_LISTED]:
                    table.add_row("", Text(_because(reason, step)), "")
    return table


def _because(reason: RestartReason, step: RestartWorkloads) -> str:
    whose = "" if reason.workloads == step.workloads else f" ({first_names(reason.workloads, _MOST_FIELDS)})"
    return f"  because: {reason.because}{whose}"


def _left_alone(plan: Plan) -> list[RenderableType]:
    left = [item for step in plan.steps if isinstance(step, RestartWorkloads) for item in step.left_alone]
    lines = [line for items in alike(left) for line in _alike_lines(items)]
    lines += [line for group in groups_of(plan.held_back) for line in _group_lines(group)]
    return [Text(""), Text("Left alone:", style="bold"), *(Text(f"  {line}") for line in lines)] if lines else []


def _alike_lines(items: Sequence[LeftAlone]) -> list[str]:
    """Each by itself while they are few, and what may be done, where that is more than a restart by hand."""
    few = len(items) <= MOST_LISTED
    lines = [f"{item.ref}: {item.reason}" for item in items] if few else [line_of(items)]
    todo = items[0].todo
    return lines if todo == BY_HAND else [*lines, f"  → {todo}"]


def _group_lines(group: HeldGroup) -> list[str]:
    """Each by itself while they are few, and what may be done about what somebody has written wrongly."""
    few = len(group.refs) <= MOST_LISTED
    lines = [f"{ref}: {group.first.words}" for ref in group.refs] if few else [group.line]
    return [*lines, f"  → {group.first.todo}"] if group.first.why is Why.ANNOTATION else lines


def checks_view(checks: tuple[CheckResult, ...]) -> Table:
    """Checks as a list: a sign, the name, what was found; hints under the ones that do not hold."""
    table = Table(box=None, padding=(0, 1), show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check, after in zip_longest(checks, checks[1:]):
        table.add_row(_sign(check), check.name, check.for_people)
        say_later = after is not None and (after.name, after.hint) == (check.name, check.hint)
        if check.result is Result.FAILED and check.hint and not say_later:
            table.add_row("", "", Text(f"→ {check.hint}", style="dim"))
    return table


def _sign(check: CheckResult) -> Text:
    if check.result is Result.PASSED:
        return Text("√", style="green")
    if check.result is Result.SKIPPED:
        return Text("-", style="dim")
    return Text("‼", style="yellow") if check.severity is Severity.WARNING else Text("×", style="bold red")


def gateways_view(result: RunResult) -> Table:
    """For how long no pod of a gateway was ready: after an upgrade, a rollback or a replacement, and where it was."""
    table = Table(box=None, padding=0, show_header=False, pad_edge=False)
    replaced = any(isinstance(step, UninstallIstio) for step in result.plan.steps)
    for name, seconds in result.gateway_gaps.items():
        if seconds:
            table.add_row(Text(f"{name}: no ready pod for {seconds:.1f} s", style="bold yellow"))
        elif replaced or result.plan.mode in (Mode.UPGRADE, Mode.ROLLBACK):
            table.add_row(f"{name}: a pod was ready all the time")
    return table


_ENDED = {
    Mode.ADOPT: "adopted, Istio {version} is as it was",
    Mode.RESTORE: "the backup is put back",
    Mode.UNINSTALL: "uninstalled and verified",
    Mode.FAILOVER: "its part of the failover is done",
    Mode.FAILBACK: "its part of the failback is done",
    Mode.PREPULL: "the images are on every node",
    Mode.NAMESPACES: "the namespaces are prepared",
    Mode.SYNC: "{changes}, as the other environment has it",
    Mode.REHEARSE: "rehearsed, and standing by again",
}


def result_line(result: RunResult) -> Text:
    """The one line that says how a run ended; what it came to is in it, to be quoted."""
    plan, seconds = result.plan, f"{result.seconds:.1f} s"
    done = sum(step.state is StepState.DONE for step in result.steps)
    if result.error is not None:
        return Text(f"{plan.environment}: stopped after {done} of {len(result.steps)} steps, {seconds}", style="red")
    if any(check.breaks for check in result.checks):
        return Text(f"{plan.environment}: applied, but verification failed ({seconds})", style="bold red")
    if [step.stage for step in plan.steps if isinstance(step, MarkFailover)] == [Stage.STANDBY]:
        # Of a move that failed, too: nothing of that is done.
        return Text(f"{plan.environment}: standing by again ({seconds})", style="green")
    words = _ENDED.get(plan.mode, "Istio {version} is in place and verified: {tally}")
    changes, tally = plan.changes.summary(), result.tally.words()
    words = words.format(version=plan.target_version, changes=changes, tally=tally)
    return Text(f"{plan.environment}: {words} ({seconds})", style="green")


def show(console: SafeConsole, *parts: RenderableType) -> None:
    """Print parts, one under the other with an empty line between; tables without rows are left out."""
    full = [part for part in parts if not (isinstance(part, Table) and not part.row_count)]
    with console.capture() as captured:
        for number, part in enumerate(full):
            if number:
                console.print()
            for piece in part.renderables if isinstance(part, Group) else (part,):
                # In a log a line stays a line: folded, somebody else's text would begin one.
                whole = isinstance(piece, Text) and (piece is part or not console.is_terminal)
                shown = Hanging(piece) if isinstance(piece, Text) and not whole else piece
                console.print(shown, soft_wrap=whole)
    console.put(captured.get())
