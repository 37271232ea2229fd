"""The flags that commands share, and what they say together. Only Typer is imported here: `--help` must stay fast."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.adapters.azure.login import Auth
from sohistio.commands.given import path_of, text_of

if TYPE_CHECKING:
    from sohistio.planning.install import Request
    from sohistio.planning.session import Where


class Output(StrEnum):
    """For people or for machines."""

    TABLE = "table"
    JSON = "json"


class CheckOutput(StrEnum):
    """For people, for machines, for a pipeline's test results."""

    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"


class RequestedMode(StrEnum):
    """The mode by name; auto decides from the cluster."""

    AUTO = "auto"
    INSTALL = "install"
    UPGRADE = "upgrade"
    REINSTALL = "reinstall"


EnvName = Annotated[
    str,
    typer.Option(
        "--env", "-e", metavar="NAME", parser=text_of("--env"), help="Environment: dev, int, qa, prod, dr, local."
    ),
]
VersionText = Annotated[
    str | None, typer.Option("--version", metavar="X.Y.Z", help="Target version of Istio; default: the environment's.")
]
ModeName = Annotated[RequestedMode, typer.Option("--mode", help="Refused where it does not fit the cluster.")]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        metavar="FILE",
        parser=path_of("--kubeconfig"),
        help="Kubeconfig; default: KUBECONFIG, ~/.kube/config.",
    ),
]
Context = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="NAME",
        parser=text_of("--context"),
        help="Context; default: the one the environment names.",
    ),
]
IstioctlPath = Annotated[
    Path | None,
    typer.Option(
        "--istioctl",
        metavar="FILE",
        parser=path_of("--istioctl"),
        help="Use this istioctl, if it is the target's version.",
    ),
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
    typer.Option(
        "--confirm",
        metavar="NAME",
        parser=text_of("--confirm"),
        help="The name of a protected environment, in place of typing it.",
    ),
]
Via = Annotated[
    list[str] | None, typer.Option("--via", metavar="X.Y.Z", help="A station of a chain of upgrades (repeatable).")
]
SkipCheck = Annotated[
    list[str] | None,
    typer.Option("--skip-check", metavar="NAME", help="Skip a check by name (repeatable); `check --list` has them."),
]
AuthKind = Annotated[
    Auth, typer.Option("--auth", help="Login to Azure, where the environment names an AKS cluster (docs/aks.md).")
]
IncludeCa = Annotated[
    bool,
    typer.Option("--include-ca", help="Keep the CA's key in the backup, encrypted: SOHISTIO_BACKUP_PASSPHRASE."),
]


def where_of(
    env: str,
    version: str | None,
    environments: Path | None,
    kubeconfig: Path | None,
    context: str | None,
    istioctl: Path | None,
    auth: Auth = Auth.AUTO,
    skip_check: list[str] | None = None,
) -> Where:
    """What the command line says of the environment and its cluster. Raises UsageError."""
    from sohistio.model.versions import Version
    from sohistio.planning.session import Where

    target = Version.parse(version) if version is not None else None
    skipped: frozenset[str] = frozenset()
    if skip_check:
        from sohistio.checks.preflight.registry import check_names

        skipped = check_names(skip_check)
    return Where(env, environments, target, kubeconfig, context, istioctl, auth, skipped)


def env_given(env: str | None) -> str:
    """The environment of a command that also works without one. Raises UsageError."""
    from sohistio.errors import UsageError

    if env is None:
        raise UsageError("no environment is named", todo="Give --env NAME.")
    return env


def request_of(mode: RequestedMode, via: list[str] | None, skip_check: list[str] | None, include_ca: bool) -> Request:
    """What the command line asks of the plan. The checks are known ones: `where_of` sees to it. Raises UsageError."""
    from sohistio.model.versions import Version
    from sohistio.plan.plan import Mode
    from sohistio.planning.install import Request

    stations = tuple(Version.parse(text) for text in via or ())
    asked = None if mode is RequestedMode.AUTO else Mode(mode.value)
    return Request(asked, stations, frozenset(skip_check or ()), include_ca)
