"""Commands for when something went wrong: rollback, restore, unlock. Flags in, exit code out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sohistio.adapters.azure.login import Auth
from sohistio.commands import env as env_cli
from sohistio.commands.given import path_of
from sohistio.commands.options import (
    AuthKind,
    ComponentTimeout,
    Confirm,
    Context,
    EnvName,
    Kubeconfig,
    Output,
    OutputFormat,
    SkipCheck,
    TotalTimeout,
    Yes,
    where_of,
)

app = typer.Typer(rich_markup_mode=None)


@app.command()
def rollback(
    env: EnvName,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    skip_check: SkipCheck = None,
    output: OutputFormat = Output.TABLE,
    yes: Yes = False,
    confirm: Confirm = None,
    component_timeout: ComponentTimeout = None,
    timeout: TotalTimeout = None,
) -> None:
    """Go back to the version and manifest that were in place before."""
    from sohistio.commands import common, mesh

    json = output is Output.JSON
    with common.errors_as_json(json):
        where = where_of(env, None, environments, kubeconfig, context, None, auth, skip_check)
        timeouts = common.timeouts_of(component_timeout, timeout)
    raise typer.Exit(mesh.rollback(where, common.Approval(yes, confirm), timeouts, json=json))


@app.command()
def restore(
    env: EnvName,
    backup: Annotated[
        Path,
        typer.Option(
            "--backup",
            metavar="DIR",
            parser=path_of("--backup"),
            help="The backup's folder; `sohistio history` names it.",
        ),
    ],
    ca: Annotated[
        bool, typer.Option("--ca", help="Put the CA's Secret back, too, if it is missing and the backup has its key.")
    ] = False,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    skip_check: SkipCheck = None,
    output: OutputFormat = Output.TABLE,
    yes: Yes = False,
    confirm: Confirm = None,
) -> None:
    """Put custom resources of a backup back: those that differ or are gone."""
    from sohistio.commands import common
    from sohistio.commands import restore as room
    from sohistio.planning.restore import RestoreRequest

    json = output is Output.JSON
    with common.errors_as_json(json):
        where = where_of(env, None, environments, kubeconfig, context, None, auth, skip_check)
    raise typer.Exit(room.restore(where, RestoreRequest(backup, ca), common.Approval(yes, confirm), json=json))


@app.command()
def unlock(
    env: EnvName,
    reason: Annotated[str, typer.Option("--reason", help="Why the lock may be freed; it stays on the Lease.")],
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    skip_check: SkipCheck = None,
) -> None:
    """Free the lock of a run that is dead, before it expires by itself."""
    from sohistio.commands import history as room

    raise typer.Exit(
        room.unlock(where_of(env, None, environments, kubeconfig, context, None, auth, skip_check), reason)
    )
