"""`sohistio adopt`."""

from __future__ import annotations

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, ComponentLimit, Form, Limit, Skip, Target, Yes
from sohistio.commands.reason import Reason


@examples(
    "sohistio adopt --env qa",
    "sohistio adopt --env qa --yes --output json",
)
def adopt(
    target: Target,
    cluster: Cluster,
    skip: Skip,
    yes: Yes,
    reason: Reason,
    component: ComponentLimit,
    limit: Limit,
    form: Form,
) -> None:
    """Take over a mesh that another tool installed. No version changes and no pod is restarted."""
    from sohistio.commands.requests import approval_of, timeouts_of, where_of
    from sohistio.commands.running import planned_run
    from sohistio.planning.adopt import plan_adopt

    how = (approval_of(yes), timeouts_of(component, limit))
    raise typer.Exit(planned_run(where_of(target, cluster, skip=skip, reason=reason), plan_adopt, how, json=form.json))
