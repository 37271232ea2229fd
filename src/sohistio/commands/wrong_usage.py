"""What Typer has against a command line, in sohistio's words."""

from __future__ import annotations

import re
from typing import Any

import typer

from sohistio.errors import UsageError
from sohistio.model.nearest import did_you_mean


def is_only_a_group(error: Exception) -> bool:
    """Whether no command was named at all: then its help is the answer."""
    return type(error).__name__ == "NoArgsIsHelpError"


def wrong_usage(error: Any) -> UsageError:
    """What Typer has against a command line, as an error of sohistio; its usage line goes to stderr first."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "sohistio"
    if context is not None:
        typer.echo(context.get_usage(), err=True)
    unknown = getattr(error, "option_name", "") if hasattr(error, "possibilities") else ""
    if unknown:
        what, known = f"{command} has no option {unknown}", _options(context)
    else:
        what = str(error.format_message()).strip().removesuffix(".").replace("Value error, ", "")
        unknown, known = _no_choice(error)
    return UsageError(what, todo=did_you_mean(unknown, known, f"`{command} --help` says what it takes."))


def _options(context: Any) -> list[str]:
    params = context.command.get_params(context) if context else ()
    return [flag for param in params for flag in param.opts if flag.startswith("--")]


def _no_choice(error: Any) -> tuple[str, list[str]]:
    """The value that is none of an option's choices, and these."""
    described = getattr(getattr(error, "param", None), "type_descriptor", None)
    given = re.search("'(.*)' is not one of ", str(error))
    choices = getattr(described, "choices", None) or ()
    return (given[1], [str(choice) for choice in choices]) if given else ("", [])
