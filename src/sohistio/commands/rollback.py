"""`sohistio rollback`."""

from __future__ import annotations

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, ComponentLimit, Confirm, Form, Limit, Skip, Target, Yes
from sohistio.commands.reason import Reason


@examples(
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
) -> None:
    """Go back to the version and manifest in place before."""
    from sohistio.commands.requests import approval_of, timeouts_of, where_of
    from sohistio.commands.running import planned_run
    from sohistio.planning.rollback import plan_rollback

    how = (approval_of(yes, confirm), timeouts_of(component, limit))
    raise typer.Exit(
        planned_run(where_of(target, cluster, skip=skip, reason=reason), plan_rollback, how, json=form.json)
    )
