"""The option `--reason`: why something is changed, for whoever reads the record, the events and the messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.commands.options import OptionGroup, change_option
from sohistio.errors import UsageError
from sohistio.system.sanitize import one_line

if TYPE_CHECKING:
    from sohistio.model.cause import Cause

LONGEST_REASON = 300
"""Characters: a change number and a sentence. The record keeps 50 of them in one object of the cluster."""

_FLAG = re.compile(r"--?([A-Za-z]|$)")
_UNSET = re.compile(r"\$\([^)]*\)")
# Letters to Unicode, and nothing to a reader: fillers of Hangul.
_BLANK_LETTERS = "\u115f\u1160\u3164\uffa0"

Why = Annotated[
    str | None,
    change_option(
        "--reason", envvar="SOHISTIO_REASON", metavar="TEXT", help="Why, such as a change number; it is recorded."
    ),
]


class Reason(OptionGroup):
    """Why something is changed; every command that changes a cluster takes it."""

    ctx: typer.Context
    reason: Why = None

    @property
    def cause(self) -> Cause:
        """The command, with the reason as it is recorded."""
        from sohistio.model.cause import Cause

        return Cause(self.ctx.command_path.partition(" ")[2], reason_of(self.reason))


def _says_something(text: str) -> bool:
    """Whether a letter or digit can be seen in it, beside variables that a pipeline left as they are written."""
    return any(sign.isalnum() and sign not in _BLANK_LETTERS for sign in _UNSET.sub("", text))


def reason_of(text: str | None) -> str:
    """A reason as it is recorded: one line, nothing in it that a terminal obeys, at most LONGEST_REASON characters.

    What is longer is cut, and never refused: a failover at night does not wait for a shorter sentence. Empty where it
    says nothing. Raises UsageError for what is the next flag: an empty variable stood between.
    """
    words = " ".join((text or "").split())
    if _FLAG.match(words):
        raise UsageError(
            f"--reason has no text: {one_line(words)!r} follows it",
            todo='Is a variable of the pipeline not set? Put it into quotes ("$CHG"), or give a reason.',
        )
    if not _says_something(words):
        return ""
    line = one_line(words)
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"
