"""`sohistio restart`."""

from __future__ import annotations

from functools import partial

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Form, Limit, Skip, Target, Tool, Yes
from sohistio.commands.reason import Reason
from sohistio.commands.restart_options import Emergency, RestartShare


@examples(
    "sohistio restart --env qa",
    "sohistio restart --env qa --yes --timeout 30m",
    "sohistio restart --env prod --limit 20%",
    'sohistio restart --env prod --outside-windows --reason "INC-4711"',
)
def restart(
    target: Target,
    cluster: Cluster,
    tool: Tool,
    skip: Skip,
    yes: Yes,
    reason: Reason,
    portion: RestartShare,
    emergency: Emergency,
    limit: Limit,
    form: Form,
) -> None:
    """Restart only the workloads whose sidecar is not the mesh's.

    Windows, freezes and opt-outs of the environment and of annotations hold (docs/restarts.md).
    """
    from sohistio.commands.requests import approval_of, timeouts_of, where_of
    from sohistio.commands.running import planned_run
    from sohistio.planning.restart import plan_restart

    how = (approval_of(yes), timeouts_of(None, limit))
    where = where_of(target, cluster, tool=tool, skip=skip, reason=reason)
    planner = partial(plan_restart, share=portion.share, outside_windows=emergency.overrules(reason))
    raise typer.Exit(planned_run(where, planner, how, json=form.json))
