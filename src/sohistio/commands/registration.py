"""How a function becomes a command: groups of options become flags, help comes in panels, nothing empty is taken."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from sohistio.commands.defaults import defaults_of, say_environment
from sohistio.commands.examples import examples_of, write_examples
from sohistio.commands.options import CHANGE, OUTPUT, TARGET, OptionGroup
from sohistio.errors import UsageError
from sohistio.model.nearest import did_you_mean
from sohistio.system.command_line import before_dashes
from sohistio.system.paths import check_working_folder

# What a command has for itself comes first, what all have last.
_PANELS = ("Options", CHANGE, TARGET, OUTPUT)
_FLAGS_WIDTH = 28


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Expand parameters that are groups into flat options, and build the groups again at call time."""
    parameters: list[inspect.Parameter] = []
    groups: dict[str, tuple[type[Any], list[str]]] = {}
    hints = typing.get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        kind = hints[name]
        if not (isinstance(kind, type) and issubclass(kind, OptionGroup)):
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=kind))
            continue
        inner = typing.get_type_hints(kind, include_extras=True)
        groups[name] = (kind, list(inner))
        for option, annotation in inner.items():
            default = vars(kind).get(option, inspect.Parameter.empty)
            flat = inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=default)
            parameters.append(flat.replace(annotation=annotation))

    @functools.wraps(command)
    def call(**values: Any) -> None:
        check_working_folder()
        for name, (kind, names) in groups.items():
            values[name] = kind(**{field: values.pop(field) for field in names})
        command(**values)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer reads
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


class _PlainHelp:
    """Help that ends with the examples; its first sentence stands in the group's list."""

    epilog: str | None
    help: str | None

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The examples."""
        write_examples(self.epilog, formatter)

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002 — it is never cut
        """The first sentence of the help, whole."""
        return first_sentence(self.help or "")


class PanelCommand(_PlainHelp, TyperCommand):
    """A command whose help groups its options by what they are about."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then the panels in their order."""
        panels: dict[str, list[tuple[str, str]]] = {name: [] for name in ("Arguments", *_PANELS)}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            is_argument = param.param_type_name == "argument"
            own = "Arguments" if is_argument else getattr(param, "rich_help_panel", None) or "Options"
            panels[OUTPUT if param.name == "help" else own].append(record)
        for name, records in panels.items():
            if records:
                with formatter.section(name):
                    formatter.write_dl(records, col_max=_FLAGS_WIDTH)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """With a person's own defaults, each after its flag and its variable.

        Raises UsageError for an option with an empty value: a pipeline's variable that is not set.
        """
        # An empty reason is none: a failover is not stopped by it, and what needs one says so itself.
        taken = (param for param in self.params if not getattr(param, "is_flag", False) and param.name != "reason")
        flags = {flag for param in taken for flag in param.opts}
        for flag in _empty(before_dashes(args), flags):
            raise UsageError(
                f"{flag} is empty",
                todo="Is a variable of the pipeline not set? Leave the flag out, or say what is meant.",
            )
        defaults = defaults_of(ctx, args, [param.name for param in self.params if param.envvar])
        ctx.default_map = {**defaults}
        try:
            rest = super().parse_args(ctx, args)
        except TyperException as error:
            if getattr(error, "ctx", ctx) is None:  # an option without its value: which command's, it does not say
                vars(error)["ctx"] = ctx
            raise
        say_environment(ctx, defaults)
        return rest


class PanelGroup(_PlainHelp, TyperGroup):
    """A group of commands, listed with the first sentence of each one's help."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Raises UsageError for a command that there is not."""
        name = args[0]
        if not (ctx.resilient_parsing or name.startswith("-") or name in self.commands):
            typer.echo(ctx.get_usage(), err=True)
            more = f"`{ctx.command_path} --help` lists the commands."
            raise UsageError(f"there is no command {name!r}", todo=did_you_mean(name, self.commands, more))
        return super().resolve_command(ctx, args)


def app(*, examples: Sequence[str], **settings: Any) -> typer.Typer:
    """A group of commands whose help is plain text, with examples as those of a command."""
    return typer.Typer(
        cls=PanelGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        epilog="\n".join(examples),
        **settings,
    )


def register_all(
    group: typer.Typer, commands: Mapping[str, Callable[..., None]], words: Sequence[str] | None = None
) -> None:
    """Make the functions the commands of these names.

    Where `words` are those of a command line, only the first of them is built whole: the others are listed in help.
    """
    for name, command in commands.items():
        whole = words is None or name in words[:1]
        function = with_options(command) if whole else _listed(command)
        group.command(name, cls=PanelCommand, epilog=examples_of(command))(function)


def words_of_group(words: Sequence[str] | None, name: str) -> Sequence[str] | None:
    """Of a command line's words those that a group's `register_all` takes: none where it names another command."""
    if words is None:
        return None
    return words[1:] if words[:1] == [name] else []


def _listed(command: Callable[..., None]) -> Callable[[], None]:
    """A command's line in its group's help."""

    def listed() -> None:
        raise AssertionError("only listed")  # pragma: no cover

    listed.__doc__ = command.__doc__
    return listed


def first_sentence(text: str) -> str:
    """Without its full stop."""
    whole = " ".join(text.split())
    return whole.partition(". ")[0].removesuffix(".")


def _empty(args: Sequence[str], flags: set[str]) -> list[str]:
    """The options that are given with an empty text: `--env ""`, `--env=`."""
    found = [arg.removesuffix("=") for arg in args if arg.endswith("=") and arg.removesuffix("=") in flags]
    return found + [flag for flag, value in pairwise(args) if flag in flags and not value.strip()]
