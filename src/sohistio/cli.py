"""Registers the commands; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated

import typer

from sohistio import __version__
from sohistio.commands.registration import app as new_app
from sohistio.commands.registration import register_all


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


_EXAMPLES = (
    "sohistio env list                  # the environments",
    "sohistio check --env qa            # what would stop an install",
    "sohistio plan --env qa             # what an install would do, and why",
    "sohistio install --env qa",
)

# Each is the function of its name, in the module of its name: `support-bundle` is support_bundle.support_bundle.
_COMMANDS = (
    "plan",
    "install",
    "adopt",
    "restart",
    "uninstall",
    "verify",
    "check",
    "status",
    "history",
    "promote",
    "render",
    "explain",
    "dashboard",
    "failover",
    "failback",
    "sync",
    "bundle",
    "rollback",
    "restore",
    "unlock",
    "istioctl",
    "support-bundle",
    "login",
    "aks-token",
    "version",
)
# Each has its commands in the module of its name.
_GROUPS = ("namespaces", "egress", "monitoring", "env", "images", "sandbox")


def app_for(arguments: Sequence[str] | None = None) -> typer.Typer:
    """The program. With the `arguments` of a command line that begins with a command or group, it has that one alone;
    and only the command that they name is built with its options. Each other one takes time, and none is needed then.
    """
    app = new_app(
        help="Installs, upgrades and reinstalls Istio on Azure Kubernetes Service, one environment at a time.",
        examples=_EXAMPLES,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    words = None if arguments is None else [word for word in arguments if not word.startswith("-")]
    known = (*_COMMANDS, *_GROUPS)
    named = arguments[:1] if arguments and arguments[0] in known else known
    register_all(app, {name: _command(name) for name in _COMMANDS if name in named}, words)
    for name in _GROUPS:
        if name in named:
            app.add_typer(import_module(f"sohistio.commands.{name}").group_for(words), name=name)
    return app


def _command(name: str) -> Callable[..., None]:
    function = name.replace("-", "_")
    found: Callable[..., None] = getattr(import_module(f"sohistio.commands.{function}"), function)
    return found
