"""What the command line asks of stdout. `--help` loads it, so it stays small."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from sohistio.system.command_line import before_dashes

# Set once the command line asks for JSON: from then on an error is a document, too.
_asked: list[bool] = []


def answer_in_json() -> None:
    """The command line asks for JSON on stdout."""
    _asked.append(True)


def answered() -> None:
    """The answer is on stdout. There is one: an error from here on is none."""
    _asked.clear()


def is_json_asked() -> bool:
    """Whether stdout waits for a document."""
    return bool(_asked)


def asks_for_json(arguments: Sequence[str], variable: str = "") -> bool:
    """Whether a command line asks for JSON, or the variable SOHISTIO_OUTPUT does; also one that is wrong elsewhere.

    What follows `--` is another tool's.
    """
    value = variable
    arguments = before_dashes(arguments)
    for argument, after in zip_longest(arguments, arguments[1:], fillvalue=""):
        short = re.fullmatch(r"-[A-Za-np-z]*o(.*)", argument)  # -o json, -ojson, -yo json
        if argument == "--output" or (short and not short[1]):
            value = after
        elif argument.startswith("--output="):
            value = argument.removeprefix("--output=")
        elif short:
            value = short[1]
    return value == "json"
