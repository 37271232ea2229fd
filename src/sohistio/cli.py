"""The front door: flags in, exit code out. Wires the rooms together and holds no logic."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sohistio import env_cli
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


class Output(StrEnum):
    """For people or for machines."""

    TABLE = "table"
    JSON = "json"


class RequestedMode(StrEnum):
    """The mode by name; auto decides from the cluster."""

    AUTO = "auto"
    INSTALL = "install"
    UPGRADE = "upgrade"
    REINSTALL = "reinstall"


EnvName = Annotated[
    str, typer.Option("--env", "-e", metavar="NAME", help="Environment: dev, int, qa, prod, dr, local.")
]
VersionText = Annotated[
    str | None, typer.Option("--version", metavar="X.Y.Z", help="Target version of Istio; default: the environment's.")
]
ModeName = Annotated[RequestedMode, typer.Option("--mode", help="Refused where it does not fit the cluster.")]
Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", metavar="FILE", help="Kubeconfig; default: KUBECONFIG, ~/.kube/config.")
]
Context = Annotated[
    str | None, typer.Option("--context", metavar="NAME", help="Context; default: the one the environment names.")
]
IstioctlPath = Annotated[
    Path | None, typer.Option("--istioctl", metavar="FILE", help="Use this istioctl, if it is the target's version.")
]
OutputFormat = Annotated[Output, typer.Option("--output", "-o", help="table or json (versioned).")]
ComponentTimeout = Annotated[
    str | None,
    typer.Option("--component-timeout", metavar="TIME", help="For each component, such as 90s or 5m."),
]
TotalTimeout = Annotated[str | None, typer.Option("--timeout", metavar="TIME", help="For the whole run, such as 20m.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Confirm = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="The name of a protected environment, in place of typing it."),
]


@app.command()
def plan(
    env: EnvName,
    version: VersionText = None,
    mode: ModeName = RequestedMode.AUTO,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    istioctl: IstioctlPath = None,
    output: OutputFormat = Output.TABLE,
    diff: Annotated[bool, typer.Option("--diff", help="Show every changed object and field.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 4 when changes are pending.")] = False,
) -> None:
    """Show what an install would do, and why. Nothing is touched."""
    from sohistio import commands

    where = _where(env, version, environments, kubeconfig, context, istioctl)
    raise typer.Exit(
        commands.plan(where, _mode(mode), json=output is Output.JSON, diff=diff, pending_exit_code=exit_code)
    )


@app.command()
def install(
    env: EnvName,
    version: VersionText = None,
    mode: ModeName = RequestedMode.AUTO,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    istioctl: IstioctlPath = None,
    output: OutputFormat = Output.TABLE,
    yes: Yes = False,
    confirm: Confirm = None,
    component_timeout: ComponentTimeout = None,
    timeout: TotalTimeout = None,
) -> None:
    """Work out install, upgrade, reinstall or nothing, and do it."""
    from sohistio import commands

    where = _where(env, version, environments, kubeconfig, context, istioctl)
    approval = commands.Approval(yes, confirm)
    timeouts = commands.timeouts_of(component_timeout, timeout)
    raise typer.Exit(commands.install(where, _mode(mode), approval, timeouts, json=output is Output.JSON))


@app.command()
def restart(
    env: EnvName,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    istioctl: IstioctlPath = None,
    output: OutputFormat = Output.TABLE,
    yes: Yes = False,
    timeout: TotalTimeout = None,
) -> None:
    """Restart only the workloads whose sidecar is not the mesh's."""
    from sohistio import commands

    where = _where(env, None, environments, kubeconfig, context, istioctl)
    timeouts = commands.timeouts_of(None, timeout)
    raise typer.Exit(commands.restart(where, commands.Approval(yes, None), timeouts, json=output is Output.JSON))


@app.command()
def verify(
    env: EnvName,
    version: VersionText = None,
    environments: env_cli.Folder = None,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    istioctl: IstioctlPath = None,
    output: OutputFormat = Output.TABLE,
) -> None:
    """Verify the mesh: pods, gateway address, disruption budgets, sidecars, istioctl analyze. Exit 5 if it fails."""
    from sohistio import commands

    where = _where(env, version, environments, kubeconfig, context, istioctl)
    raise typer.Exit(commands.verify(where, json=output is Output.JSON))


@app.command()
def render(
    env: EnvName,
    version: VersionText = None,
    environments: env_cli.Folder = None,
) -> None:
    """Print the one IstioOperator that would be applied, for `istioctl manifest generate -f -` or a review."""
    from sohistio import commands

    commands.render(_where(env, version, environments, None, None, None))


@app.command("version")
def show_version() -> None:
    """Print sohistio's own version."""
    from sohistio import __version__

    typer.echo(__version__)


def _where(
    env: str,
    version: str | None,
    environments: Path | None,
    kubeconfig: Path | None,
    context: str | None,
    istioctl: Path | None,
) -> Any:
    from sohistio.session import Where
    from sohistio.versions import Version

    return Where(env, environments, Version.parse(version) if version else None, kubeconfig, context, istioctl)


def _mode(mode: RequestedMode) -> Any:
    from sohistio.plan import Mode

    return None if mode is RequestedMode.AUTO else Mode(mode.value)
