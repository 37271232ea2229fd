"""The reference of all commands as Markdown, made of the program itself: what `--help` says, on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass
from enum import Enum
from typing import Any

import typer

from sohistio.cli import app_for
from sohistio.commands.options import CHANGE, OUTPUT, TARGET
from sohistio.commands.registration import first_sentence

_OWN = "Options"
_PANELS = (_OWN, CHANGE, TARGET, OUTPUT)
_SHARED_BY = 5
_INTRODUCTION = """\
# Command reference

Made of the program by `make docs-reference`; `sohistio COMMAND --help` says the same in a terminal. The commands by
task, with links to the pages about them: [commands](../commands.md). What it ends with: [exit
codes](../modes-and-safety.md#exit-codes).

An option with an empty value (`--env ""`) is refused: in a pipeline that is a variable that is not set. Times are
written `90s`, `5m`, `1h` or `30d`.
"""
_VARIABLES = """
## Variables

Each is read where its option is not given. Others, which are no option's: [for machines](../machines.md#variables).
"""
_SHARED = """
## Shared options

They mean the same in every command that has them.
"""


@dataclass(frozen=True)
class Command:
    """A command of the program. `path` is what is typed after `sohistio`."""

    path: str
    command: Any

    @property
    def title(self) -> str:
        """What is typed."""
        return f"sohistio {self.path}"

    @property
    def anchor(self) -> str:
        """The heading's anchor on the page."""
        return self.title.replace(" ", "-")


def commands(group: Any = None, path: str = "") -> Iterator[Command]:
    """All commands that help lists, in its order."""
    top: Any = group or typer.main.get_command(app_for())
    for name, command in top.commands.items():
        full = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            yield from commands(command, full)
        elif not command.hidden:
            yield Command(full, command)


def commands_page() -> str:
    """The page."""
    found = list(commands())
    rows = [f"| [`{one.title}`](#{one.anchor}) | {_cell(first_sentence(one.command.help or ''))} |" for one in found]
    count = Counter(
        _row(param) for one in found for param in _options(one.command) if _panel(param) in (TARGET, OUTPUT)
    )
    shared = {row for row, times in count.items() if times >= _SHARED_BY}
    common = _table("option", [row for row in count if row in shared])
    flags = {param.envvar: param.opts[0] for one in found for param in _options(one.command) if param.envvar}
    variables = _table("variable", [f"| `{name}` | `{flag}` |" for name, flag in sorted(flags.items())])
    parts = [_INTRODUCTION, _table("command", rows), _SHARED, common, _VARIABLES, variables]
    return "\n".join([*parts, *(section(one, shared) for one in found)]) + "\n"


def section(one: Command, shared: Set[str]) -> str:
    """A command's part of the page, without the rows that are shared."""
    parts = [f"\n## {one.title}", _paragraphs(one.command.help or ""), f"```\n{_usage(one)}\n```"]
    options = sorted(_options(one.command), key=lambda param: _PANELS.index(_panel(param)))
    rows = [f"| `{_placeholder(param)}` | {_meaning(param)} |" for param in _arguments(one.command)]
    rows += [row for row in map(_row, options) if row not in shared]
    if rows:
        parts.append(_table("option", rows))
    also = ", ".join(f"`{param.opts[0]}`" for param in options if _row(param) in shared)
    if also:
        parts.append(f"{'And' if rows else 'Options:'} {also}: [shared options](#shared-options).")
    if one.command.epilog:
        parts.append(f"Examples:\n\n```\n{one.command.epilog.strip()}\n```")
    return "\n\n".join(parts)


def _table(title: str, rows: list[str]) -> str:
    return "\n".join([f"| {title} | |", "|---|---|", *rows])


def _arguments(command: Any) -> list[Any]:
    return [param for param in command.params if param.param_type_name == "argument"]


def _options(command: Any) -> list[Any]:
    return [param for param in command.params if param.param_type_name == "option" and not param.hidden]


def _usage(one: Command) -> str:
    required = [f"{param.opts[0]} {_placeholder(param)}" for param in _options(one.command) if param.required]
    given = [_placeholder(param) if param.required else f"[{_placeholder(param)}]" for param in _arguments(one.command)]
    return " ".join([one.title, *given, *required, "[options]"])


def _panel(param: Any) -> str:
    return param.rich_help_panel or _OWN


def _row(param: Any) -> str:
    flags = ", ".join(f"`{flag}`" for flag in (*param.opts, *param.secondary_opts))
    value = "" if param.is_flag else f" `{_placeholder(param)}`"
    return f"| {flags}{value} | {_meaning(param)} |"


def _placeholder(param: Any) -> str:
    return str(param.metavar or param.name.upper()) + ("…" if param.nargs == -1 else "")


def _meaning(param: Any) -> str:
    parts = [_cell(param.help or "").rstrip(".") + "."]
    value = param.default.value if isinstance(param.default, Enum) else param.default
    if isinstance(value, str | int) and not getattr(param, "is_flag", False):
        parts.append(f"Default: `{value}`.")
    if param.envvar:
        parts.append(f"Variable: `{param.envvar}`.")
    return " ".join(parts)


def _paragraphs(text: str) -> str:
    """Help as Markdown."""
    return "\n\n".join(_cell(block) for block in text.strip().split("\n\n"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
