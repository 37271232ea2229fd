"""`sohistio failback`."""

from __future__ import annotations

import typer

from sohistio.commands.examples import examples
from sohistio.commands.moving import Acceptance, Places, Shown, To
from sohistio.commands.options import Cluster, ComponentLimit, Confirm, Form, Limit, Yes
from sohistio.commands.reason import Reason


@examples(
    "sohistio failback --to prod --plan",
    "sohistio failback --to prod --yes --confirm prod --watch 5m",
)
def failback(
    to: To,
    places: Places,
    cluster: Cluster,
    acceptance: Acceptance,
    yes: Yes,
    confirm: Confirm,
    reason: Reason,
    component: ComponentLimit,
    limit: Limit,
    shown: Shown,
    form: Form,
) -> None:
    """Move traffic back, and switch the standby's gateways off."""
    from sohistio.commands.moving import moved, pair_of
    from sohistio.commands.requests import approval_of, seconds, timeouts_of
    from sohistio.planning.sequences import failback_sequence

    pair = pair_of(to, places.environments, cluster, acceptance, reason, is_standby=False)
    how = (approval_of(yes, confirm), timeouts_of(component, limit))
    watch = round(seconds("--watch", shown.watch) or 0)
    raise typer.Exit(moved(lambda: failback_sequence(pair, watch=watch), pair, how, shown, form))
