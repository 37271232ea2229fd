"""Registers the commands; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from sohistio import __version__
from sohistio.commands import egress, env, images, monitoring, namespaces, sandbox
from sohistio.commands.adopt import adopt
from sohistio.commands.aks_token import aks_token
from sohistio.commands.bundle import bundle
from sohistio.commands.check import check
from sohistio.commands.dashboard import dashboard
from sohistio.commands.examples import examples
from sohistio.commands.explain import explain
from sohistio.commands.failback import failback
from sohistio.commands.failover import failover
from sohistio.commands.history import history
from sohistio.commands.install import install
from sohistio.commands.istioctl import istioctl
from sohistio.commands.login import login
from sohistio.commands.plan import plan
from sohistio.commands.promote import promote
from sohistio.commands.registration import app as new_app
from sohistio.commands.registration import register_all
from sohistio.commands.render import render
from sohistio.commands.restart import restart
from sohistio.commands.restore import restore
from sohistio.commands.rollback import rollback
from sohistio.commands.status import status
from sohistio.commands.support_bundle import support_bundle
from sohistio.commands.sync import sync
from sohistio.commands.uninstall import uninstall
from sohistio.commands.unlock import unlock
from sohistio.commands.verify import verify


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print sohistio's own version."),
    ] = False,
) -> None:
    """Installs, upgrades and reinstalls Istio on Azure Kubernetes Service, one environment at a time."""


@examples("sohistio version")
def show_version() -> None:
    """Print sohistio's own version."""
    typer.echo(__version__)


_EXAMPLES = (
    "sohistio env list                  # the environments",
    "sohistio check --env qa            # what would stop an install",
    "sohistio plan --env qa             # what an install would do, and why",
    "sohistio install --env qa",
)

_COMMANDS: dict[str, Callable[..., None]] = {
    "plan": plan,
    "install": install,
    "adopt": adopt,
    "restart": restart,
    "uninstall": uninstall,
    "verify": verify,
    "check": check,
    "status": status,
    "history": history,
    "promote": promote,
    "render": render,
    "explain": explain,
    "dashboard": dashboard,
    "failover": failover,
    "failback": failback,
    "sync": sync,
    "bundle": bundle,
    "rollback": rollback,
    "restore": restore,
    "unlock": unlock,
    "istioctl": istioctl,
    "support-bundle": support_bundle,
    "login": login,
    "aks-token": aks_token,
    "version": show_version,
}


def app_for(arguments: Sequence[str] | None = None) -> typer.Typer:
    """The program. With the `arguments` of a command line, only the command that they name is built with its options:
    that takes longer than all else that help does.
    """
    app = new_app(
        help="Installs, upgrades and reinstalls Istio on Azure Kubernetes Service, one environment at a time.",
        examples=_EXAMPLES,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    words = None if arguments is None else [word for word in arguments if not word.startswith("-")]
    register_all(app, _COMMANDS, words)
    app.add_typer(namespaces.group_for(words), name="namespaces")
    app.add_typer(egress.group_for(words), name="egress")
    app.add_typer(monitoring.group_for(words), name="monitoring")
    app.add_typer(env.group_for(words), name="env")
    app.add_typer(images.group_for(words), name="images")
    app.add_typer(sandbox.group_for(words), name="sandbox")
    return app
