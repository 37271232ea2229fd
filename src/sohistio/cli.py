"""The front door: flags in, exit code out. Wires the rooms together and holds no logic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sohistio import env_cli
from sohistio.azure.login import Auth
from sohistio.flags import (
    AuthKind,
    CheckOutput,
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
    env_given,
    request_of,
    where_of,
)
from sohistio.sandbox.cli import app as sandbox_app

app = typer.Typer(
    help="Installs, upgrades and reinstalls Istio on Azure Kubernetes Service, one environment at a time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(env_cli.app, name="env")
app.add_typer(sandbox_app, name="sandbox")


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
        Path | None, typer.Option("--out", metavar="FILE", help="Write the plan, for install --plan.")
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
        Path | None, typer.Option("--plan", metavar="FILE", help="Refuse where the plan is no longer the one in FILE.")
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
    from sohistio.footprint import Removal

    json = output is Output.JSON
    with common.errors_as_json(json):
        where = where_of(env, None, environments, kubeconfig, context, None, auth, skip_check)
        timeouts = common.timeouts_of(component_timeout, timeout)
    asked = Removal(with_sidecars, purge, restart_workloads, include_ca)
    raise typer.Exit(room.uninstall(where, asked, common.Approval(yes, confirm), timeouts, json=json))


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
        str | None, typer.Option("--env", "-e", metavar="NAME", help="Environment; not with --list.")
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
        str | None, typer.Option("--env", "-e", metavar="NAME", help="One environment; default: all.")
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


@app.command()
def restore(
    env: EnvName,
    backup: Annotated[
        Path, typer.Option("--backup", metavar="DIR", help="The backup's folder; `sohistio history` names it.")
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
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="ID", help="Where the login has several.")] = None,
    subscription: Annotated[
        str | None, typer.Option("--subscription", metavar="ID", help="The cluster's, for the Azure CLI.")
    ] = None,
    authority: Annotated[
        str | None, typer.Option("--authority", metavar="HOST", help="Who gives tokens; default: the public cloud.")
    ] = None,
    resource_manager: Annotated[
        str, typer.Option("--resource-manager", metavar="URL", help="The resource manager that goes with --authority.")
    ] = "https://management.azure.com",
    no_instance_discovery: Annotated[
        bool, typer.Option("--no-instance-discovery", help="The authority is not known to the public one.")
    ] = False,
) -> None:
    """Print a token for AKS as kubectl's ExecCredential: what kubeconfigs of `sohistio login` run."""
    from sohistio.azure.login import Login
    from sohistio.commands import aks_token as room
    from sohistio.managedcluster import AzureCloud

    cloud = AzureCloud(authority, resource_manager, not no_instance_discovery) if authority else None
    room.aks_token(Login(auth, tenant, subscription, cloud))


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
