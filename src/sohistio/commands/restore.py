"""`sohistio restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sohistio.commands.examples import examples
from sohistio.commands.options import Cluster, Confirm, Form, Skip, Target, Yes
from sohistio.commands.reason import Reason


@examples(
    "sohistio restore --env qa --backup DIR   # `sohistio history` names it",
    "sohistio restore --env qa --backup DIR --ca --yes",
)
def restore(
    target: Target,
    cluster: Cluster,
    skip: Skip,
    yes: Yes,
    confirm: Confirm,
    reason: Reason,
    form: Form,
    backup: Annotated[
        Path, typer.Option("--backup", metavar="DIR", help="The backup's folder; `sohistio history` names it.")
    ],
    ca: Annotated[
        bool, typer.Option("--ca", help="Put the CA's Secret back too, if it is missing and the backup has its key.")
    ] = False,
) -> None:
    """Put a backup's custom resources back where they differ."""
    from sohistio.commands.requests import approval_of, where_of
    from sohistio.commands.running import planned_run
    from sohistio.planning.restore import RestoreRequest, plan_restore
    from sohistio.run.tools import Timeouts

    where, request = where_of(target, cluster, skip=skip, reason=reason), RestoreRequest(backup, ca)
    how = (approval_of(yes, confirm), Timeouts())
    raise typer.Exit(planned_run(where, lambda session: plan_restore(session, request), how, json=form.json))
