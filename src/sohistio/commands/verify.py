"""`sohistio verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.check import Form
from sohistio.commands.options import Cluster, Release, Target, Tool, output_format


def verify(
    target: Target,
    cluster: Cluster,
    release: Release,
    tool: Tool,
    output: Annotated[Form, output_format(help="table, json or junit.")] = Form.TABLE,
) -> None:
    """Verify the mesh: pods, gateways, sidecars, policy, monitoring.

    Exit 5 where a check of severity error does not hold.
    """
    from sohistio.adapters.kubernetes.observe import observe
    from sohistio.checks.dry_run import audit_of
    from sohistio.checks.moves import interrupted_moves
    from sohistio.checks.result import check_document
    from sohistio.commands.requests import where_of
    from sohistio.commands.sessions import session_of
    from sohistio.errors import ExitCode
    from sohistio.output.console import console
    from sohistio.output.devops.agent import looked, verified
    from sohistio.output.documents import print_answer, print_document
    from sohistio.output.junit import junit
    from sohistio.output.tables import checks_view, show
    from sohistio.planning.declared_monitoring import declared_monitoring
    from sohistio.planning.policy import declared_policy
    from sohistio.planning.reads import recorded
    from sohistio.planning.standby import standby_rule
    from sohistio.run.verify import Verification, verify_mesh

    session = session_of(where_of(target, cluster, release=release, tool=tool))
    # Before anything is downloaded: a wrong context is the sooner answer.
    state, record = observe(session.api), recorded(session)
    policy = declared_policy(session.environment)
    monitoring = declared_monitoring(session, record)
    asked = Verification(
        session.api, session.target, session.istioctl, state=state, policy=policy, monitoring=monitoring
    )
    rule = standby_rule(session, state, record)
    mesh, _ = session.render(
        session.version, session.operator_yaml(session.version, gateways_off=rule.off or not rule.certain)
    )
    checks = (*verify_mesh(asked, mesh), *audit_of(session.environment), *interrupted_moves(record))
    failed = any(check.breaks for check in checks)
    name = session.environment.name
    looked(name)
    verified(name, checks)
    if output is Form.JSON:
        result = {"environment": name, "result": "failed" if failed else "passed"}
        print_answer("Verification", result | {"checks": [check_document(check) for check in checks]})
    elif output is Form.JUNIT:
        print_document(junit(f"sohistio.verification.{name}", checks))
    else:
        show(console(), checks_view(checks))
    raise typer.Exit(ExitCode.VERIFICATION_FAILED if failed else ExitCode.OK)
