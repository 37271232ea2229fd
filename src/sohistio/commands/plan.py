"""`sohistio plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import (
    BackupContent,
    Cluster,
    Form,
    OptionGroup,
    Release,
    Route,
    Skip,
    Target,
    Tool,
    output_option,
)
from sohistio.commands.restart_options import AsOf, RestartShare


class Shown(OptionGroup):
    """How the plan is shown, and what it ends with."""

    diff: Annotated[bool, output_option("--diff", help="Show every changed object and field.")] = False
    full: Annotated[bool, output_option("--full", help="As --diff, and long values are not folded.")] = False
    exit_code: Annotated[bool, output_option("--exit-code", help="Exit 4 when changes are pending.")] = False
    out: Annotated[
        Path | None,
        output_option("--out", metavar="FILE", help="Write the plan, for install --plan."),
    ] = None


@examples(
    "sohistio plan --env qa",
    "sohistio plan --env qa --version 1.31.1 --diff",
    "sohistio plan --env prod --out prod.plan   # for install --plan prod.plan",
    "sohistio plan --env qa --output json --exit-code",
)
def plan(
    target: Target,
    cluster: Cluster,
    release: Release,
    tool: Tool,
    route: Route,
    skip: Skip,
    backup: BackupContent,
    portion: RestartShare,
    as_of: AsOf,
    form: Form,
    shown: Shown,
) -> None:
    """Show what an install would do, and why. Nothing is touched.

    Exit 3 where the plan is refused, 4 with --exit-code and changes pending. An install's checks: `sohistio check`.
    """
    from sohistio.commands.requests import request_of, where_of
    from sohistio.commands.sessions import session_of

    where = where_of(target, cluster, release=release, tool=tool, skip=skip)
    request = request_of(route, skip, backup, portion, as_of)
    session = session_of(where)
    session.render_ahead()
    # istioctl is at work while these are imported.
    from sohistio.errors import ExitCode
    from sohistio.output.devops.agent import looked
    from sohistio.output.plan_file import write_plan
    from sohistio.output.shown_plan import show_plan
    from sohistio.planning.install import plan_install
    from sohistio.planning.target_cluster import check_right_cluster

    check_right_cluster(session)
    planned = plan_install(session, request)
    looked(planned.plan.environment, planned.plan)
    if shown.out is not None:
        write_plan(shown.out, planned.plan)
    if code := show_plan(planned, json=form.json, diff=shown.diff, full=shown.full):
        raise typer.Exit(code)
    if shown.exit_code and planned.plan.changes_pending:
        raise typer.Exit(ExitCode.CHANGES_PENDING)
