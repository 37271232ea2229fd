"""`sohistio verify`."""

from __future__ import annotations

import typer

from sohistio.commands.options import Cluster, Form, Release, Target, Tool


def verify(target: Target, cluster: Cluster, release: Release, tool: Tool, form: Form) -> None:
    """Verify pods, gateways, sidecars, policy and monitoring.

    Exit 5 where a check of severity error does not hold.
    """
    from sohistio.adapters.kubernetes.observe import observe
    from sohistio.checks.result import check_document
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.errors import ExitCode
    from sohistio.output.console import console
    from sohistio.output.documents import print_answer
    from sohistio.output.tables import checks_view, show
    from sohistio.planning.reads import recorded
    from sohistio.run.verify_now import verified_now

    session = session_of(where_of(target, cluster, release=release, tool=tool))
    # Before anything is downloaded: a wrong context is the sooner answer.
    checks = verified_now(session, observe(session.api), recorded(session))
    failed = any(check.breaks for check in checks)
    if form.json:
        result = {"environment": session.environment.name, "result": "failed" if failed else "passed"}
        print_answer("Verification", result | {"checks": [check_document(check) for check in checks]})
    else:
        show(console(), checks_view(checks))
    raise typer.Exit(ExitCode.VERIFICATION_FAILED if failed else ExitCode.OK)
