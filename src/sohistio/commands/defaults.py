"""A person's own defaults, for options that neither the command line nor a variable gives.

Nothing is read for help, nor where there is no file: `--help` must stay fast.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from sohistio.errors import UsageError
from sohistio.output.asked import answer_in_json, asks_for_json
from sohistio.system.command_line import before_dashes
from sohistio.system.paths import config_dir
from sohistio.system.pipeline import on_an_agent

VARIABLE = "SOHISTIO_CONFIG"
# Without --env these show every environment: a default would hide the others.
_OF_EVERY_ENVIRONMENT = ("status",)


def defaults_file(variables: Mapping[str, str]) -> Path | None:
    """The file of the variable, else the one in the person's folder; None where there is none.

    On an agent of Azure DevOps only a file that is named: the agent's home may be shared by many pipelines.
    """
    if named := variables.get(VARIABLE):
        return Path(named)
    if on_an_agent(variables):
        return None
    path = config_dir() / "config.yaml"
    try:
        return path if os.path.lexists(path) else None  # a folder or a dead link is told, not passed over
    except OSError:
        return None


def defaults_of(context: Any, arguments: Sequence[str], names: Collection[str]) -> dict[str, str]:
    """The defaults of a command's options of these names, which are those that a variable may give.

    Raises UsageError for a file that is not valid.
    """
    wanted = set(names) - ({"env"} if context.info_name in _OF_EVERY_ENVIRONMENT else set())
    if (
        not wanted
        or set(before_dashes(arguments)) & set(context.help_option_names)
        or (path := defaults_file(os.environ)) is None
    ):
        return {}
    from sohistio.environments.user_defaults import user_defaults

    try:
        found = user_defaults(path, os.environ)
    except UsageError:
        if context.resilient_parsing:  # a shell completes a word: no place for errors
            return {}
        raise
    by_option = {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): text for key, text in found.items()}
    defaults = {name: text for name, text in by_option.items() if name in wanted}
    if not os.environ.get("SOHISTIO_OUTPUT") and asks_for_json(arguments, defaults.get("output", "")):
        answer_in_json()
    return defaults


def is_on_command_line(context: Any, name: str) -> bool:
    """Whether the option stands there: what a file or a variable says gives way to a flag that excludes it."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def say_environment(context: Any, defaults: Mapping[str, str]) -> None:
    """Say on stderr which environment it is where only the file says it."""
    if "env" in defaults and context.get_parameter_source("env").name == "DEFAULT_MAP":
        typer.echo(f"environment {defaults['env']}, the default of {defaults_file(os.environ)}", err=True)
