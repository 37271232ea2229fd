"""`sohistio images check`."""

from __future__ import annotations

import typer

from sohistio.commands.check import print_report
from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Release, Target, Tool
from sohistio.commands.report_form import ReportForm


@examples(
    "sohistio images check --env qa",
    "sohistio images check --env qa --output junit > images.xml",
)
def check_images(
    target: Target,
    cluster: Cluster,
    release: Release,
    tool: Tool,
    form: ReportForm,
) -> None:
    """Check that nodes can pull every image from the hub.

    Asked with the pull Secret's own login, as a node would. Exit 3 where one cannot be pulled.
    """
    from sohistio.checks.preflight.preparation import context_of
    from sohistio.checks.preflight.registry import image_checks
    from sohistio.checks.preflight.report import Report
    from sohistio.checks.preflight.runner import look
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.modes.install_plan import Request

    where = where_of(target, cluster, release=release, tool=tool)
    context = context_of(session_of(where), Request())
    report = Report(where.environment, look(image_checks(context), context))
    print_report(report, form.output)
    raise typer.Exit(report.exit_code)
