"""`sohistio uninstall`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import (
    BackupContent,
    Cluster,
    ComponentLimit,
    Confirm,
    Form,
    Limit,
    OptionGroup,
    Skip,
    Target,
    Yes,
    change_option,
    output_option,
)
from sohistio.commands.reason import Reason


class Extent(OptionGroup):
    """How much is taken away."""

    with_sidecars: Annotated[
        bool,
        change_option("--with-sidecars", help="Go on though sidecars lose their istiod."),
    ] = False
    restart_workloads: Annotated[
        bool,
        change_option("--restart-workloads", help="Restart workloads to drop their sidecars."),
    ] = False
    purge: Annotated[
        bool,
        change_option(
            "--purge",
            help="Delete CRDs, custom resources and CA too.",
        ),
    ] = False


@examples(
    "sohistio uninstall --env dev",
    "sohistio uninstall --env dev --restart-workloads --yes",
    "sohistio uninstall --env prod --yes --confirm prod",
)
def uninstall(
    target: Target,
    cluster: Cluster,
    extent: Extent,
    backup: BackupContent,
    skip: Skip,
    yes: Yes,
    confirm: Confirm,
    reason: Reason,
    component: ComponentLimit,
    limit: Limit,
    form: Form,
    plan: Annotated[bool, output_option("--plan", help="Show what would happen; nothing is touched.")] = False,
) -> None:
    """Uninstall the mesh. CRDs, custom resources, CA and namespace stay unless --purge is given."""
    import os

    from sohistio.commands.requests import approval_of, timeouts_of, where_of
    from sohistio.commands.running import only_planned, planned_run
    from sohistio.errors import UsageError
    from sohistio.model.footprint import Removal
    from sohistio.planning.uninstall import plan_uninstall
    from sohistio.system.sealing import passphrase

    where = where_of(target, cluster, skip=skip, reason=reason)
    how = (approval_of(yes, confirm), timeouts_of(component, limit))
    if backup.include_ca and not extent.purge:
        raise UsageError("--include-ca goes with --purge", todo="Without --purge the CA stays where it is.")
    if backup.include_ca:
        passphrase(os.environ)  # better to miss it now than half way
    asked = Removal(extent.with_sidecars, extent.purge, extent.restart_workloads, backup.include_ca)
    planner = partial(plan_uninstall, asked=asked)
    raise typer.Exit(
        only_planned(where, planner, json=form.json) if plan else planned_run(where, planner, how, json=form.json)
    )
