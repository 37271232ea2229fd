"""The login to AKS: for kubectl, and the command that kubectl and istioctl call. Flags in, exit code out."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.adapters.azure.login import Auth
from sohistio.commands import env as env_cli
from sohistio.commands.given import text_of
from sohistio.commands.options import (
    AuthKind,
    EnvName,
    where_of,
)

app = typer.Typer(rich_markup_mode=None)


@app.command()
def login(
    env: EnvName,
    environments: env_cli.Folder = None,
    auth: AuthKind = Auth.AUTO,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a context of this name that leads somewhere else.")
    ] = False,
) -> None:
    """Add the environment's AKS cluster to your kubeconfig, so that kubectl and istioctl log in by themselves."""
    from sohistio.commands import login as room

    raise typer.Exit(room.login(where_of(env, None, environments, None, None, None, auth), overwrite=overwrite))


@app.command("aks-token")
def aks_token(
    auth: AuthKind = Auth.AUTO,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="ID", parser=text_of("--tenant"), help="Where the login has several."),
    ] = None,
    subscription: Annotated[
        str | None,
        typer.Option(
            "--subscription", metavar="ID", parser=text_of("--subscription"), help="The cluster's, for the Azure CLI."
        ),
    ] = None,
    authority: Annotated[
        str | None,
        typer.Option(
            "--authority",
            metavar="HOST",
            parser=text_of("--authority"),
            help="Who gives tokens; default: the public cloud.",
        ),
    ] = None,
    resource_manager: Annotated[
        str, typer.Option("--resource-manager", metavar="URL", help="The resource manager that goes with --authority.")
    ] = "https://management.azure.com",
    no_instance_discovery: Annotated[
        bool, typer.Option("--no-instance-discovery", help="The authority is not known to the public one.")
    ] = False,
) -> None:
    """Print a token for AKS as kubectl's ExecCredential: what kubeconfigs of `sohistio login` run."""
    from sohistio.adapters.azure.login import Login
    from sohistio.commands import aks_token as room
    from sohistio.model.managed_cluster import AzureCloud

    cloud = AzureCloud(authority, resource_manager, not no_instance_discovery) if authority else None
    room.aks_token(Login(auth, tenant, subscription, cloud))
