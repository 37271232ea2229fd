"""`sohistio check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.commands.defaults import is_on_command_line
from sohistio.commands.examples import examples
from sohistio.commands.options import (
    Cluster,
    MaybeTarget,
    Release,
    Route,
    Skip,
    Target,
    Tool,
)
from sohistio.commands.report_form import ReportForm, ReportFormat

if TYPE_CHECKING:
    from sohistio.checks.preflight.report import Report
    from sohistio.output.fitted import Fitted


@examples(
    "sohistio check --env qa",
    "sohistio check --env qa --short   # one line, for a chat",
    "sohistio check --env prod --output junit > preflight.xml",
    "sohistio check --list",
)
def check(
    ctx: typer.Context,
    target: MaybeTarget,
    cluster: Cluster,
    release: Release,
    tool: Tool,
    route: Route,
    skip: Skip,
    form: ReportForm,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="TIME", help="Time for each check, such as 30s.")
    ] = None,
    fail_if_expires_within: Annotated[
        str | None,
        typer.Option(
            "--fail-if-expires-within",
            envvar="SOHISTIO_FAIL_IF_EXPIRES_WITHIN",
            show_envvar=False,
            metavar="TIME",
            help="Fail for certificates that end so soon, such as 30d.",
        ),
    ] = None,
    short: Annotated[bool, typer.Option("--short", help="One line, to paste into a chat.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List all checks with their hints.")] = False,
) -> None:
    """Run the preflight checks that come before every change. Nothing is touched.

    Exit 3 where one fails, as an install would.
    """
    from sohistio.checks.preflight.preparation import context_of
    from sohistio.checks.preflight.registry import checks_for
    from sohistio.checks.preflight.report import Report
    from sohistio.checks.preflight.runner import look
    from sohistio.commands.requests import request_of, seconds, where_of
    from sohistio.commands.sessions import session_of
    from sohistio.errors import UsageError
    from sohistio.output.console import say
    from sohistio.output.short_line import short_line

    if short and (list_ or (form.output is not ReportFormat.TABLE and is_on_command_line(ctx, "output"))):
        other = "--list" if list_ else f"--output {form.output.value}"
        raise UsageError(f"--short is one line for people, {other} is not", todo="Give one of them.")
    if list_:
        _print_list(form.output)
        return
    if target.env is None:
        raise UsageError("no environment is named", todo="Give --env NAME.")
    where = where_of(Target(target.env, target.environments), cluster, release=release, tool=tool, skip=skip)
    request, each = request_of(route, skip), seconds("--timeout", timeout)
    within = seconds("--fail-if-expires-within", fail_if_expires_within)
    session = session_of(where)
    context = context_of(session, request)
    context.fail_within = within
    checks = checks_for(context)
    session.say(f"checking {len(checks) - len(request.skip_checks)} things side by side")
    report = Report(where.environment, look(checks, context, request.skip_checks, each))
    if short:
        say(short_line(report))
    else:
        print_report(report, form.output)
    raise typer.Exit(report.exit_code)


def print_report(report: Report, form: ReportFormat) -> None:
    """The report in the form that was asked for."""
    from rich.text import Text

    from sohistio.output.console import console
    from sohistio.output.devops.agent import checked, looked
    from sohistio.output.devops.facts import Stage
    from sohistio.output.documents import print_document, print_json
    from sohistio.output.junit import junit
    from sohistio.output.tables import checks_view, show

    looked(report.environment)
    checked(Stage.PREFLIGHT, report.environment, report.checks)
    if form is ReportFormat.JSON:
        print_json(report.document())
    elif form is ReportFormat.JUNIT:
        print_document(junit(f"sohistio.preflight.{report.environment}", report.checks))
    else:
        style = "bold red" if report.failures else "yellow" if report.warnings else "green"
        show(console(), checks_view(report.checks), Text(report.summary(), style=style))


def _print_list(form: ReportFormat) -> None:
    from sohistio.checks.preflight.registry import CHECKS
    from sohistio.output.console import console
    from sohistio.output.documents import print_answer
    from sohistio.output.tables import show

    if form is ReportFormat.JSON:
        print_answer("PreflightList", {"checks": [item.document() for item in CHECKS]})
    else:
        show(console(), _listing())


def _listing() -> Fitted:
    """Every check with its severity, what it is about, its hint and where it is explained."""
    from rich.text import Text

    from sohistio.checks.preflight.registry import CHECKS
    from sohistio.output.fitted import Fitted

    rows: list[tuple[str | Text, ...]] = []
    for item in CHECKS:
        severity = Text(item.severity.value, style="red" if item.severity.value == "error" else "yellow")
        rows.append((item.name, severity, item.about))
        must = "cannot be skipped; " if item.mandatory else ""
        rows.append(("", "", Text(f"→ {item.hint}", style="dim")))
        rows.append(("", "", Text(f"{must}{item.docs}", style="dim")))
    return Fitted(("check", "severity", "what holds, and what to do if not"), rows, prose=2)
