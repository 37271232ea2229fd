"""`sohistio restart`."""

from __future__ import annotations

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Form, Limit, Skip, Target, Tool, Yes
from sohistio.commands.reason import Reason


@examples(
    "sohistio restart --env qa",
    "sohistio restart --env qa --yes --timeout 30m",
)
def restart(
    target: Target,
    cluster: Cluster,
    tool: Tool,
    skip: Skip,
    yes: Yes,
    reason: Reason,
    limit: Limit,
    form: Form,
) -> None:
    """Restart only the workloads whose sidecar is not the mesh's."""
    from sohistio.commands.requests import approval_of, timeouts_of, where_of
    from sohistio.commands.running import planned_run
    from sohistio.planning.restart import plan_restart

    how = (approval_of(yes), timeouts_of(None, limit))
    where = where_of(target, cluster, tool=tool, skip=skip, reason=reason)
    raise typer.Exit(planned_run(where, plan_restart, how, json=form.json))
