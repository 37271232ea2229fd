"""What failover and failback have in common: both sides' sessions, the sequence carried out, the report."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.commands.options import Cluster, Folder, Form, change_option, environment_names, output_option

if TYPE_CHECKING:
    from sohistio.checks.preflight.context import Sides
    from sohistio.planning.failover import Accepted, Pair
    from sohistio.planning.sequences import Sequence
    from sohistio.planning.session import Session
    from sohistio.run.approval import Approval
    from sohistio.run.failover import Traffic
    from sohistio.run.reporter import Reporter
    from sohistio.run.tools import Timeouts

To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="NAME",
        rich_help_panel="Target",
        autocompletion=environment_names,
        help="The environment that is to serve.",
    ),
]


@dataclass(frozen=True)
class Acceptance:
    """Rules that are accepted by name."""

    accept: Annotated[
        list[str] | None, change_option("--accept", metavar="RULE", help="Accept a rule that fails (repeatable).")
    ] = None
    because: Annotated[
        str | None, change_option("--because", metavar="WHY", help="Why; goes into the record with --accept.")
    ] = None


@dataclass(frozen=True)
class Shown:
    """What is shown, and how long traffic is watched."""

    plan: Annotated[bool, output_option("--plan", help="Show what would happen; nothing is touched.")] = False
    report: Annotated[Path | None, output_option("--report", metavar="FILE", help="Write the report as Markdown.")] = (
        None
    )
    watch: Annotated[
        str | None, change_option("--watch", metavar="TIME", help="Watch the traffic afterwards, such as 5m.")
    ] = None


@dataclass(frozen=True)
class Places:
    """Where the environments are."""

    environments: Folder = None


def pair_of(standby: str, primary: str, to: str, folder: Path | None, cluster: Cluster, accepted: Accepted) -> Pair:
    """Both sessions; --kubeconfig and --context are the target's. Raises UsageError."""
    from sohistio.commands.options import Target
    from sohistio.commands.requests import where_of
    from sohistio.commands.running import session_of
    from sohistio.planning.failover import Pair

    def session(name: str) -> Session:
        return session_of(where_of(Target(name, folder), cluster if name == to else Cluster(auth=cluster.auth)))

    return Pair(session(primary), session(standby), accepted)


def standby_for(to: str, folder: Path | None, *, is_standby: bool) -> tuple[str, str]:
    """The names of the standby and of the environment it stands by for. Raises UsageError where there is no such pair.

    `to` is the standby itself for a failover, and the other one for a failback.
    """
    from sohistio.environments.load import environment_names as names
    from sohistio.environments.load import find_environments_root, load_environment
    from sohistio.errors import UsageError

    root = find_environments_root(folder, Path.cwd())
    if is_standby:
        environment = load_environment(to, root, os.environ)
        if environment.standby_of is None:
            raise UsageError(
                f"the environment {to} is no standby: it has no standbyOf",
                todo="A failover goes to a standby; `sohistio env list` shows the environments.",
            )
        return to, environment.standby_of
    load_environment(to, root, os.environ)
    found = [name for name in names(root) if name != to and _standby_of(name, root) == to]
    if len(found) != 1:
        which = ", ".join(found) or "none"
        raise UsageError(
            f"one environment has to stand by for {to}, and there is {which}",
            todo="A failback goes to the environment that a standby names as standbyOf.",
        )
    return found[0], to


def _standby_of(name: str, root: Path) -> str | None:
    from sohistio.environments.load import load_environment
    from sohistio.errors import UsageError

    try:
        return load_environment(name, root, os.environ).standby_of
    except UsageError:  # a broken neighbour is not what this is about
        return None


def accepted_of(acceptance: Acceptance) -> Accepted:
    """Raises UsageError for a rule that cannot be accepted, and without a reason."""
    from sohistio.checks.readiness import acceptable
    from sohistio.errors import UsageError
    from sohistio.failover.rules import ACCEPTABLE
    from sohistio.planning.failover import Accepted

    rules, known = frozenset(acceptance.accept or ()), ACCEPTABLE | acceptable()
    if unknown := sorted(rules - known):
        raise UsageError(
            f"--accept {unknown[0]!r} is no rule that can be accepted",
            todo=f"Can be accepted: {', '.join(sorted(known))}.",
        )
    if rules and not (acceptance.because or "").strip():
        raise UsageError("--accept needs --because", todo='Say why, for whoever reads the record: --because "…".')
    return Accepted(rules, acceptance.because or "")


def moved(
    sequence_of: Callable[[], Sequence],
    pair: Pair,
    how: tuple[Approval, Timeouts],
    shown: Shown,
    form: Form,
) -> int:
    """Plan, show, ask, carry out, report: the exit code."""
    from sohistio.checks.preflight.context import Sides
    from sohistio.errors import ExitCode
    from sohistio.model.mode import Mode
    from sohistio.output.console import console
    from sohistio.output.documents import print_json
    from sohistio.output.error_text import print_error
    from sohistio.output.move_report import document, markdown, summary
    from sohistio.output.run_report import RunReport
    from sohistio.planning.target_cluster import check_right_cluster
    from sohistio.run.move import move_traffic
    from sohistio.system.machine import process_began

    sequence = sequence_of()
    check_right_cluster(sequence.first.session)
    if shown.plan:
        if form.json:
            print_json(sequence.first.plan.document())
        else:
            RunReport(stderr=False).plan(sequence.first.plan)
            if sequence.later:
                console().print(sequence.later)
        if sequence.first.plan.refusal:
            print_error(sequence.first.refusal)
            return int(ExitCode.REFUSED)
        return int(ExitCode.OK)
    approval, timeouts = how
    if sequence.mode is not Mode.FAILBACK and sequence.first.plan.changes_pending:
        _require_readiness(Sides(pair, sequence.observed), sequence, RunReport(stderr=form.json))
        _run_hook(pair, sequence)
    traffic = traffic_of(pair, sequence)
    result = move_traffic(sequence, approval, timeouts, RunReport(stderr=form.json), process_began(), traffic)
    if form.json:
        print_json(document(result))
    else:
        for line in summary(result) if result.results else ():
            console().print(line)
    if shown.report is not None:
        shown.report.write_text(markdown(result), encoding="utf-8")
    return int(result.exit_code)


def _require_readiness(sides: Sides, sequence: Sequence, reporter: Reporter) -> None:
    """Raises RefusedError with the checks that do not hold and the state of the world."""
    from sohistio.checks.readiness import acceptable, readiness_of
    from sohistio.errors import RefusedError
    from sohistio.model.mode import Mode

    this_is_it = {"failover-rehearsal"} if sequence.mode is Mode.REHEARSE else set()
    report = readiness_of(sides, sides.pair.accepted.rules | this_is_it)
    if report.warnings:
        reporter.checks(report.warnings)
    if not report.failures:
        return
    lines = [line for item in report.failures for line in (f"{item.name}: {item.message}", f"  → {item.hint}")]
    names = [name for name in dict.fromkeys(item.name for item in report.failures) if name in acceptable()]
    accepted = " ".join(f"--accept {name}" for name in names)
    raise RefusedError(
        f"{report.environment} is not ready to take over",
        details=(*lines, *sides.observed.world.lines()),
        todo="Nothing was changed. Fix them."
        + (f' Or, if you know better: {accepted} --because "…".' if accepted else ""),
        docs="docs/failover.md#it-refuses",
    )


def _run_hook(pair: Pair, sequence: Sequence) -> None:
    """The team's own program says whether traffic may move. Raises RefusedError with its last lines."""
    import threading

    from sohistio.errors import FailedError, RefusedError
    from sohistio.system.program import run_program

    program = pair.settings.before
    if program is None or "failover-hook" in pair.accepted.rules:
        return
    pair.standby.say(f"running {program.argv[0]}")
    variables = {"FROM": sequence.source, "TO": sequence.to, "STAGE": sequence.mode.value}
    try:
        run_program(program.argv, program.folder, variables=variables, seconds=program.seconds, stop=threading.Event())
    except FailedError as error:
        raise RefusedError(
            f"the program that must succeed before a failover did not: {error.what}",
            details=error.details,
            todo='Nothing was changed. Fix what it says; or, if you know better: --accept failover-hook --because "…".',
            docs="docs/failover.md#it-refuses",
        ) from error


def traffic_of(pair: Pair, sequence: Sequence) -> Traffic:
    """What moves traffic, and the commands that lead forward and back."""
    from sohistio.model.mode import Mode
    from sohistio.run.failover import Traffic

    forward = f"sohistio {'failback' if sequence.mode is Mode.FAILBACK else 'failover'} --to {sequence.to}"
    back = f"sohistio {'failover' if sequence.mode is Mode.FAILBACK else 'failback'} --to {sequence.source}"
    if sequence.mode is Mode.REHEARSE:
        forward, back = f"{forward} --rehearse", f"sohistio install --env {sequence.to}"
    return Traffic(pair.settings, pair.dns, f"`{forward}`.", f"`{back}`.")
