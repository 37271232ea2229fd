"""What failover and failback have in common: both sides' sessions, the sequence carried out, the report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.commands.options import (
    Cluster,
    Folder,
    Form,
    OptionGroup,
    change_option,
    environment_names,
    output_option,
)

if TYPE_CHECKING:
    from sohistio.commands.acceptance import Acceptance
    from sohistio.commands.reason import Reason
    from sohistio.planning.failover import Pair
    from sohistio.planning.sequences import Sequence
    from sohistio.planning.session import Session
    from sohistio.run.approval import Approval
    from sohistio.run.failover import Traffic
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


class Shown(OptionGroup):
    """What is shown, and how long traffic is watched."""

    plan: Annotated[bool, output_option("--plan", help="Show what would happen; nothing is touched.")] = False
    report: Annotated[Path | None, output_option("--report", metavar="FILE", help="Write the report as Markdown.")] = (
        None
    )
    watch: Annotated[
        str | None, change_option("--watch", metavar="TIME", help="Watch the traffic afterwards, such as 5m.")
    ] = None


class Places(OptionGroup):
    """Where the environments are."""

    environments: Folder = None


def pair_of(to: str, folder: Path | None, cluster: Cluster, said: Acceptance, why: Reason, *, is_standby: bool) -> Pair:
    """Both sessions, their settings checked before anything is asked; --kubeconfig and --context are the target's.

    Raises UsageError.
    """
    from sohistio.commands.acceptance import accepted_of
    from sohistio.commands.options import Skip, Target
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.output.devops.agent import asked_about
    from sohistio.planning.cluster_identity import IDENTITY
    from sohistio.planning.failover import Pair

    asked_about(to)
    accepted = accepted_of(said, why.cause.reason)
    # Azure cannot be asked in every emergency: with a kubeconfig given by hand, the person says that it is right.
    skip = Skip([IDENTITY] if IDENTITY in accepted.rules else None)

    def session(name: str) -> Session:
        own = cluster if name == to else Cluster(auth=cluster.auth)
        return session_of(where_of(Target(name, folder), own, skip=skip, reason=why))

    target = session(to)
    other = session(_stood_by(target) if is_standby else _standby_of(target))
    pair = Pair(other, target, accepted) if is_standby else Pair(target, other, accepted)
    pair.checked_settings()
    return pair


def _stood_by(standby: Session) -> str:
    """The environment that it stands by for. Raises UsageError where it is no standby."""
    from sohistio.errors import UsageError

    environment = standby.environment
    if environment.standby_of is None:
        raise UsageError(
            f"the environment {environment.name} is no standby: it has no standbyOf",
            todo="A failover goes to a standby; `sohistio env list` shows the environments.",
        )
    return environment.standby_of


def _standby_of(primary: Session) -> str:
    """The one environment that stands by for it. Raises UsageError where there are none or several."""
    from sohistio.environments.load import standbys_of
    from sohistio.errors import UsageError

    name, root = primary.environment.name, primary.root
    found = [standby.name for standby in standbys_of(name, root, os.environ)]
    if len(found) != 1:
        which = ", ".join(found) or "none"
        raise UsageError(
            f"one environment has to stand by for {name}, and there is {which}",
            details=() if found else tuple(_invalid(root)),
            todo="A failback goes to the environment that a standby names as standbyOf.",
        )
    return found[0]


def _invalid(root: Path) -> Iterator[str]:
    """The environments whose files are not valid: nobody knows what they name as standbyOf."""
    from sohistio.environments.load import environment_names as names
    from sohistio.environments.load import problems_of

    for name in names(root):
        for problem in problems_of(name, root, os.environ)[:1]:
            yield f"the environment {name} is not valid: {problem}"


def moved(
    sequence_of: Callable[[], Sequence],
    pair: Pair,
    how: tuple[Approval, Timeouts],
    shown: Shown,
    form: Form,
) -> int:
    """Plan, show, ask, carry out, report: the exit code."""
    from contextlib import nullcontext
    from dataclasses import replace

    from sohistio.checks.preflight.context import Sides
    from sohistio.model.mode import Mode
    from sohistio.output.console import console
    from sohistio.output.documents import print_json
    from sohistio.output.move_report import check_place, conclusion, document, summary, write_page
    from sohistio.output.reports import reporter_for
    from sohistio.planning.target_cluster import check_right_cluster
    from sohistio.run.move import move_traffic
    from sohistio.run.notify import refusals_sent
    from sohistio.run.readiness import require_readiness, run_hook
    from sohistio.run.reason import missing_reason
    from sohistio.run.reporter import Tone
    from sohistio.system.machine import process_began

    if shown.report is not None:
        check_place(shown.report)
    reporter = reporter_for(stderr=form.json)
    with nullcontext() if shown.plan else refusals_sent(pair.standby):
        sequence = sequence_of()
        check_right_cluster(sequence.first.session)
        if shown.plan:
            return _only_shown(sequence, form)
        missing_reason(sequence.first)
        readiness = None
        if sequence.mode is not Mode.FAILBACK and sequence.first.plan.changes_pending:
            readiness = require_readiness(Sides(pair, sequence.observed), sequence, reporter)
            run_hook(pair, sequence)
        traffic = replace(traffic_of(pair, sequence), readiness=readiness)
        result = move_traffic(sequence, *how, reporter, process_began(), traffic)
    if form.json:
        print_json(document(result))
    else:
        for line in summary(result) if result.results else ():
            console().print(line)
    unwritten = write_page(shown.report, result) if shown.report is not None else ""
    for line in (unwritten, conclusion(result)):
        if line:
            reporter.line(line, Tone.WARNING)
    return int(result.exit_code)


def _only_shown(sequence: Sequence, form: Form) -> int:
    """The plan as it is, and why it is refused: the exit code."""
    from sohistio.output.devops.agent import looked
    from sohistio.output.shown_plan import show_plan

    plan = sequence.first.plan
    looked(plan.environment, plan)
    serves = "" if plan.changes_pending or plan.refusal else f"{sequence.to} serves already"
    return show_plan(sequence.first, json=form.json, last=sequence.later or serves)


def traffic_of(pair: Pair, sequence: Sequence) -> Traffic:
    """What moves traffic, and the commands that lead forward and back."""
    from functools import partial

    from sohistio.model.mode import Mode
    from sohistio.planning.traffic import prometheus_of, served_requests
    from sohistio.run.failover import Traffic

    forward = f"sohistio {'failback' if sequence.mode is Mode.FAILBACK else 'failover'} --to {sequence.to}"
    back = f"sohistio {'failover' if sequence.mode is Mode.FAILBACK else 'failback'} --to {sequence.source}"
    if sequence.mode is Mode.REHEARSE:
        forward, back = f"{forward} --rehearse", f"sohistio install --env {sequence.to}"
    served = {
        session.environment.name: partial(served_requests, prometheus, session.environment)
        for session in (pair.primary, pair.standby)
        if (prometheus := prometheus_of(session.environment))
    }
    return Traffic(pair.settings, pair.dns, f"`{forward}`.", f"`{back}`.", served=served)
