"""`sohistio verify`."""

from __future__ import annotations

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Release, Target, Tool
from sohistio.commands.report_form import ReportForm, ReportFormat


@examples(
    "sohistio verify --env qa",
    "sohistio verify --env qa --output junit > verification.xml",
)
def verify(
    target: Target,
    cluster: Cluster,
    release: Release,
    tool: Tool,
    form: ReportForm,
) -> None:
    """Verify pods, gateways, sidecars, policy and monitoring.

    Exit 5 where a check of severity error does not hold.
    """
    from sohistio.adapters.kubernetes.observe import observe
    from sohistio.checks.result import check_document
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.errors import ExitCode
    from sohistio.output.console import console
    from sohistio.output.devops.agent import checked, looked
    from sohistio.output.devops.facts import Stage
    from sohistio.output.documents import print_answer, print_document
    from sohistio.output.junit import junit
    from sohistio.output.tables import checks_view, show
    from sohistio.planning.reads import recorded
    from sohistio.run.verify_now import verified_now

    session = session_of(where_of(target, cluster, release=release, tool=tool))
    # Before anything is downloaded: a wrong context is the sooner answer.
    checks = verified_now(session, observe(session.api, dry_runs=True), recorded(session))
    failed = any(check.breaks for check in checks)
    name = session.environment.name
    looked(name)
    checked(Stage.VERIFICATION, name, checks)
    if form.output is ReportFormat.JSON:
        result = {"environment": name, "result": "failed" if failed else "passed"}
        print_answer("Verification", result | {"checks": [check_document(check) for check in checks]})
    elif form.output is ReportFormat.JUNIT:
        print_document(junit(f"sohistio.verification.{name}", checks))
    else:
        show(console(), checks_view(checks))
    raise typer.Exit(ExitCode.VERIFICATION_FAILED if failed else ExitCode.OK)
