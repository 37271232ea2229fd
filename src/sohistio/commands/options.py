"""The options that commands share, in groups: a command takes a group as one parameter, and its flags come with it.

Only Typer is imported here: `--help` must stay fast.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, dataclass_transform

import typer

from sohistio.model.auth import Auth

# The panels of a command's help.
CHANGE, TARGET, OUTPUT = "Change", "Target", "Output"
change_option, target_option, output_option = (
    partial(typer.Option, rich_help_panel=panel, show_envvar=False) for panel in (CHANGE, TARGET, OUTPUT)
)


@dataclass_transform(frozen_default=True)
class OptionGroup:
    """Options that a command takes as one parameter: annotated fields, as in a data class.

    It is none, because making fifteen of those takes longer than all of the help.
    """

    def __init__(self, *values: object, **named: object) -> None:
        given = dict(zip(type(self).__annotations__, values, strict=False)) | named
        for name in type(self).__annotations__:
            if name not in given and not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} lacks {name}")
        vars(self).update(given)


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


def environment_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """For the shell's completion: the environments of the folder in force; none where there is no such folder."""
    import os

    from sohistio.environments.load import environment_names as names
    from sohistio.environments.load import find_environments_root
    from sohistio.errors import SohistioError

    given = ctx.params.get("environments") or os.environ.get("SOHISTIO_ENVIRONMENTS")
    try:
        root = find_environments_root(Path(given) if given else None, Path.cwd())
        return [name for name in names(root) if name.startswith(incomplete)]
    except (SohistioError, OSError):  # the folder that the shell is in may be gone
        return []


_ENV = target_option(
    "--env",
    "-e",
    envvar="SOHISTIO_ENV",
    metavar="NAME",
    autocompletion=environment_names,
    help="dev, int, qa, prod, dr or local.",
)
Folder = Annotated[
    Path | None,
    target_option(
        "--environments",
        envvar="SOHISTIO_ENVIRONMENTS",
        metavar="DIR",
        help="Folder of environments; default: environments/ here or above.",
    ),
]
AuthKind = Annotated[
    Auth,
    target_option(
        "--auth",
        envvar="SOHISTIO_AUTH",
        metavar="KIND",
        help="auto, pipelines, environment, workload-identity, azure-cli.",
    ),
]
output_format = partial(output_option, "--output", "-o", envvar="SOHISTIO_OUTPUT", metavar="FORMAT")
"""The option `--output`, for a command's own choice of formats."""
OutputFormat = Annotated[Output, output_format(help="table or json.")]


class Target(OptionGroup):
    """The environment."""

    env: Annotated[str, _ENV]
    environments: Folder = None


class MaybeTarget(OptionGroup):
    """The environment of a command that also works without one."""

    env: Annotated[str | None, _ENV] = None
    environments: Folder = None


class Cluster(OptionGroup):
    """The cluster, where it is not the one that the environment names, and how to log in."""

    kubeconfig: Annotated[
        Path | None,
        target_option(
            "--kubeconfig",
            envvar="SOHISTIO_KUBECONFIG",
            metavar="FILE",
            help="Kubeconfig; default: KUBECONFIG, ~/.kube/config.",
        ),
    ] = None
    context: Annotated[
        str | None,
        target_option(
            "--context",
            envvar="SOHISTIO_CONTEXT",
            metavar="NAME",
            help="Context; default: the environment's.",
        ),
    ] = None
    auth: AuthKind = Auth.AUTO


class Release(OptionGroup):
    """The version of Istio."""

    version: Annotated[
        str | None,
        change_option("--version", metavar="X.Y.Z", help="Target version; default: the environment's."),
    ] = None


class Tool(OptionGroup):
    """istioctl, and what else is not to be downloaded."""

    istioctl: Annotated[
        Path | None,
        target_option(
            "--istioctl", envvar="SOHISTIO_ISTIOCTL", metavar="FILE", help="An istioctl of the target's version."
        ),
    ] = None
    bundle: Annotated[
        Path | None,
        target_option(
            "--bundle", envvar="SOHISTIO_BUNDLE", metavar="FILE", help="Environments, istioctl, images from a bundle."
        ),
    ] = None


class Route(OptionGroup):
    """How the target is reached."""

    mode: Annotated[
        RequestedMode,
        change_option(
            "--mode",
            metavar="MODE",
            help="auto, install, upgrade or reinstall.",
        ),
    ] = RequestedMode.AUTO
    via: Annotated[
        list[str] | None,
        change_option("--via", metavar="X.Y.Z", help="Upgrade by way of this version (repeatable)."),
    ] = None


class Skip(OptionGroup):
    """Checks that are left out."""

    skip_check: Annotated[
        list[str] | None,
        change_option("--skip-check", metavar="NAME", help="Skip a check of `check --list` (repeatable)."),
    ] = None


class BackupContent(OptionGroup):
    """What the backup holds beside custom resources."""

    include_ca: Annotated[
        bool,
        change_option("--include-ca", help="Back up the CA's key too, encrypted."),
    ] = False


class Yes(OptionGroup):
    """The approval of a plan that has no danger for a protected environment."""

    yes: Annotated[bool, change_option("--yes", "-y", help="Do not ask.")] = False


class Confirm(OptionGroup):
    """The approval of a plan that is dangerous in a protected environment."""

    confirm: Annotated[
        str | None,
        change_option("--confirm", metavar="NAME", help="Name of the protected environment."),
    ] = None


class ComponentLimit(OptionGroup):
    """How long a component may take."""

    component_timeout: Annotated[
        str | None,
        change_option(
            "--component-timeout",
            envvar="SOHISTIO_COMPONENT_TIMEOUT",
            metavar="TIME",
            help="Time for each component, such as 90s or 5m.",
        ),
    ] = None


class Limit(OptionGroup):
    """How long a run may take."""

    timeout: Annotated[
        str | None,
        change_option(
            "--timeout", envvar="SOHISTIO_TIMEOUT", metavar="TIME", help="Time for the whole run, such as 20m."
        ),
    ] = None


class Form(OptionGroup):
    """How the result is shown."""

    output: OutputFormat = Output.TABLE

    @property
    def json(self) -> bool:
        """Whether stdout is a document."""
        return self.output is Output.JSON
