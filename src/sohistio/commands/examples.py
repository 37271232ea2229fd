"""Examples at the end of a command's help: they are kept beside the command, and printed as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

_Command = TypeVar("_Command", bound=Callable[..., None])


class _Formatter(Protocol):
    def section(self, name: str) -> Any: ...

    current_indent: int

    def write(self, string: str) -> None: ...


def examples(*lines: str) -> Callable[[_Command], _Command]:
    """Give a command its examples, each a whole command line; what follows a `#` says what it is for.

    They are parsed by a test, so that none has a flag that the command does not have.
    """

    def given(command: _Command) -> _Command:
        vars(command)["examples"] = lines
        return command

    return given


def examples_of(command: Callable[..., None]) -> str:
    """A command's examples, a line each."""
    lines: tuple[str, ...] = vars(command).get("examples", ())
    return "\n".join(lines)


def write_examples(text: str | None, formatter: _Formatter) -> None:
    """Write the section, no line broken, so that each can be copied."""
    if not text:
        return
    with formatter.section("Examples"):
        for line in text.splitlines():
            formatter.write(f"{'':{formatter.current_indent}}{line}\n")
