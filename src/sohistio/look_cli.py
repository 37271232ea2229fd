"""Commands that only look: verify, check, status, history, render, version. Flags in, exit code out."""

from __future__ import annotations

from typing import Annotated

import typer

from sohistio.adapters.azure.login import Auth
from sohistio.commands import env as env_cli
from sohistio.commands.given import text_of
from sohistio.commands.options import (
    AuthKind,
    CheckOutput,
    Context,
    EnvName,
    IstioctlPath,
    Kubeconfig,
    ModeName,
    Output,
    OutputFormat,
    RequestedMode,
    SkipCheck,
    VersionText,
    Via,
    env_given,
    request_of,
    where_of,
)

app = typer.Typer(rich_markup_mode=None)


@app.command()
def verify(
    env: EnvName,
    version: VersionText = None,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    istioctl: IstioctlPath = None,
    output: OutputFormat = Output.TABLE,
) -> None:
    """Verify the mesh: pods, gateway address, disruption budgets, sidecars, istioctl analyze. Exit 5 if it fails."""
    from sohistio.commands import common, mesh

    json = output is Output.JSON
    with common.errors_as_json(json):
        where = where_of(env, version, environments, kubeconfig, context, istioctl, auth)
    raise typer.Exit(mesh.verify(where, json=json))


@app.command()
def check(
    env: Annotated[
        str | None,
        typer.Option("--env", "-e", metavar="NAME", parser=text_of("--env"), help="Environment; not with --list."),
    ] = None,
    version: VersionText = None,
    mode: ModeName = RequestedMode.AUTO,
    via: Via = None,
    skip_check: SkipCheck = None,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    istioctl: IstioctlPath = None,
    output: Annotated[
        CheckOutput, typer.Option("--output", "-o", help="table, json (versioned) or junit.")
    ] = CheckOutput.TABLE,
    auth: AuthKind = Auth.AUTO,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="TIME", help="For each check, such as 30s.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List all checks with their hints.")] = False,
) -> None:
    """Run the preflight checks that come before every change. Nothing is touched; exit 3 where one fails."""
    from sohistio.commands import check as room
    from sohistio.commands import common

    form = room.Form(output.value)
    if list_:
        raise typer.Exit(room.list_checks(form))
    with common.errors_as_json(form is room.Form.JSON):
        where = where_of(env_given(env), version, environments, kubeconfig, context, istioctl, auth, skip_check)
        request = request_of(mode, via, skip_check, include_ca=False)
        shown = room.Shown(form, common.timeouts_of(None, timeout).total_seconds)
    raise typer.Exit(room.check(where, request, shown))


@app.command()
def status(
    env: Annotated[
        str | None,
        typer.Option("--env", "-e", metavar="NAME", parser=text_of("--env"), help="One environment; default: all."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every environment.")] = False,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    output: OutputFormat = Output.TABLE,
) -> None:
    """Show every environment side by side: versions, in sync or not, gateways, last run, lock. Writes nothing."""
    from sohistio.commands import status as room

    json = output is Output.JSON
    raise typer.Exit(room.status(room.Asked(env, all_, environments, kubeconfig, context, auth), json=json))


@app.command()
def history(
    env: EnvName,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    output: OutputFormat = Output.TABLE,
) -> None:
    """Show who changed what, when, and from which plan."""
    from sohistio.commands import history as room

    where = where_of(env, None, environments, kubeconfig, context, None, auth)
    raise typer.Exit(room.history(where, json=output is Output.JSON))


@app.command()
def render(
    env: EnvName,
    version: VersionText = None,
    environments: env_cli.Folder = None,
) -> None:
    """Print the one IstioOperator that would be applied, for `istioctl manifest generate -f -` or a review."""
    from sohistio.commands import mesh

    mesh.render(where_of(env, version, environments, None, None, None))


@app.command("version")
def show_version() -> None:
    """Print sohistio's own version."""
    from sohistio import __version__

    typer.echo(__version__)
