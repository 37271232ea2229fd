"""`sohistio failover`."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.moving import Acceptance, Places, Shown, To
from sohistio.commands.options import Cluster, ComponentLimit, Confirm, Form, Limit, Yes, change_option
from sohistio.commands.reason import Reason


@examples(
    "sohistio failover --to dr --plan",
    "sohistio failover --to dr --rehearse",
    "sohistio failover --to dr --yes --confirm dr --watch 5m --report failover.md",
)
def failover(
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
    drain: Annotated[bool, change_option("--drain-prod", help="Then switch the other side's gateways off.")] = False,
    rehearse: Annotated[
        bool, change_option("--rehearse", help="Prove all of it without moving traffic, and go back.")
    ] = False,
) -> None:
    """Move traffic to the standby, prove it, and record it."""
    from sohistio.commands.moving import moved, pair_of
    from sohistio.commands.requests import approval_of, seconds, timeouts_of
    from sohistio.planning.sequences import failover_sequence, rehearsal_sequence

    pair = pair_of(to, places.environments, cluster, acceptance, reason, is_standby=True)
    how = (approval_of(yes, confirm), timeouts_of(component, limit))
    watch = round(seconds("--watch", shown.watch) or 0)
    code = moved(
        lambda: rehearsal_sequence(pair) if rehearse else failover_sequence(pair, watch=watch, drain=drain),
        pair,
        how,
        shown,
        form,
    )
    raise typer.Exit(code)
