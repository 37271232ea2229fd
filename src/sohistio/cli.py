"""The front door: flags in, exit code out. Wires the rooms together and holds no logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sohistio import aks_cli, look_cli, rescue_cli
from sohistio.adapters.azure.login import Auth
from sohistio.commands import env as env_cli
from sohistio.commands.given import path_of
from sohistio.commands.options import (
    AuthKind,
    ComponentTimeout,
    Confirm,
    Context,
    EnvName,
    IncludeCa,
    IstioctlPath,
    Kubeconfig,
    ModeName,
    Output,
    OutputFormat,
    RequestedMode,
    SkipCheck,
    TotalTimeout,
    VersionText,
    Via,
    Yes,
    request_of,
    where_of,
)
from sohistio.commands.sandbox import app as sandbox_app

app = typer.Typer(
    help="Installs, upgrades and reinstalls Istio on Azure Kubernetes Service, one environment at a time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def plan(
    env: EnvName,
    version: VersionText = None,
    mode: ModeName = RequestedMode.AUTO,
    via: Via = None,
    skip_check: SkipCheck = None,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    istioctl: IstioctlPath = None,
    output: OutputFormat = Output.TABLE,
    diff: Annotated[bool, typer.Option("--diff", help="Show every changed object and field.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 4 when changes are pending.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", parser=path_of("--out"), help="Write the plan, for install --plan."),
    ] = None,
    include_ca: IncludeCa = False,
) -> None:
    """Show what an install would do, and why. Nothing is touched."""
    from sohistio.commands import common, mesh

    json = output is Output.JSON
    with common.errors_as_json(json):
        where = where_of(env, version, environments, kubeconfig, context, istioctl, auth, skip_check)
        request = request_of(mode, via, skip_check, include_ca)
    raise typer.Exit(mesh.plan(where, request, mesh.Shown(json, diff, exit_code, out)))


@app.command()
def install(
    env: EnvName,
    version: VersionText = None,
    mode: ModeName = RequestedMode.AUTO,
    via: Via = None,
    skip_check: SkipCheck = None,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    istioctl: IstioctlPath = None,
    output: OutputFormat = Output.TABLE,
    yes: Yes = False,
    confirm: Confirm = None,
    component_timeout: ComponentTimeout = None,
    timeout: TotalTimeout = None,
    plan_file: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="FILE",
            parser=path_of("--plan"),
            help="Refuse where the plan is no longer the one in FILE.",
        ),
    ] = None,
    rollback_on_failure: Annotated[
        bool, typer.Option("--rollback-on-failure", help="Go back to the recorded version when it fails.")
    ] = False,
    include_ca: IncludeCa = False,
) -> None:
    """Work out install, upgrade, reinstall or nothing, and do it."""
    from sohistio.commands import common, mesh

    json = output is Output.JSON
    with common.errors_as_json(json):
        where = where_of(env, version, environments, kubeconfig, context, istioctl, auth, skip_check)
        request = request_of(mode, via, skip_check, include_ca)
        timeouts = common.timeouts_of(component_timeout, timeout)
    how = mesh.Install(common.Approval(yes, confirm), timeouts, plan_file, rollback_on_failure, json)
    raise typer.Exit(mesh.install(where, request, how))


@app.command()
def adopt(
    env: EnvName,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    skip_check: SkipCheck = None,
    output: OutputFormat = Output.TABLE,
    yes: Yes = False,
    component_timeout: ComponentTimeout = None,
    timeout: TotalTimeout = None,
) -> None:
    """Take over a mesh that another tool put there; no version changes and no pod is restarted."""
    from sohistio.commands import common, mesh

    json = output is Output.JSON
    with common.errors_as_json(json):
        where = where_of(env, None, environments, kubeconfig, context, None, auth, skip_check)
        timeouts = common.timeouts_of(component_timeout, timeout)
    raise typer.Exit(mesh.adopt(where, common.Approval(yes, None), timeouts, json=json))


@app.command()
def restart(
    env: EnvName,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    auth: AuthKind = Auth.AUTO,
    skip_check: SkipCheck = None,
    istioctl: IstioctlPath = None,
    output: OutputFormat = Output.TABLE,
    yes: Yes = False,
    timeout: TotalTimeout = None,
) -> None:
    """Restart only the workloads whose sidecar is not the mesh's."""
    from sohistio.commands import common, mesh

    json = output is Output.JSON
    with common.errors_as_json(json):
        where = where_of(env, None, environments, kubeconfig, context, istioctl, auth, skip_check)
        timeouts = common.timeouts_of(None, timeout)
    raise typer.Exit(mesh.restart(where, common.Approval(yes, None), timeouts, json=json))


@app.command()
def uninstall(
    env: EnvName,
    with_sidecars: Annotated[
        bool, typer.Option("--with-sidecars", help="Go on although running sidecars lose their control plane.")
    ] = False,
    restart_workloads: Annotated[
        bool, typer.Option("--restart-workloads", help="Restart workloads afterwards, so that their sidecars go.")
    ] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Take CRDs, custom resources, CA and namespace too, after a backup.")
    ] = False,
    include_ca: IncludeCa = False,
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
    """Take the mesh away; CRDs, custom resources, CA and namespace stay unless --purge takes them too."""
    from sohistio.commands import common
    from sohistio.commands import uninstall as room
    from sohistio.model.footprint import Removal

    json = output is Output.JSON
    with common.errors_as_json(json):
        where = where_of(env, None, environments, kubeconfig, context, None, auth, skip_check)
        timeouts = common.timeouts_of(component_timeout, timeout)
    asked = Removal(with_sidecars, purge, restart_workloads, include_ca)
    raise typer.Exit(room.uninstall(where, asked, common.Approval(yes, confirm), timeouts, json=json))


for commands in (look_cli, rescue_cli, aks_cli):
    app.add_typer(commands.app)
app.add_typer(env_cli.app, name="env")
app.add_typer(sandbox_app, name="sandbox")
