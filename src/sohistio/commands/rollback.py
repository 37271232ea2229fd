"""`sohistio rollback`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, ComponentLimit, Confirm, Form, Limit, Skip, Target, Yes, output_option
from sohistio.commands.reason import Reason


@examples(
    "sohistio rollback --env qa --plan   # nothing is touched",
    "sohistio rollback --env qa",
    "sohistio rollback --env prod --yes --confirm prod",
)
def rollback(
    target: Target,
    cluster: Cluster,
    skip: Skip,
    yes: Yes,
    confirm: Confirm,
    reason: Reason,
    component: ComponentLimit,
    limit: Limit,
    form: Form,
    plan: Annotated[bool, output_option("--plan", help="Show what would happen; nothing is touched.")] = False,
) -> None:
    """Go back to the version and manifest in place before."""
    from sohistio.commands.requests import approval_of, timeouts_of, where_of
    from sohistio.commands.running import only_planned, planned_run
    from sohistio.planning.rollback import plan_rollback

    where = where_of(target, cluster, skip=skip, reason=reason)
    how = (approval_of(yes, confirm), timeouts_of(component, limit))
    raise typer.Exit(
        only_planned(where, plan_rollback, json=form.json)
        if plan
        else planned_run(where, plan_rollback, how, json=form.json)
    )
