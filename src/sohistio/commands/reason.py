"""The option `--reason`: why something is changed, for whoever reads the record, the events and the messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from sohistio.commands.options import OptionGroup, change_option
from sohistio.system.sanitize import one_line

if TYPE_CHECKING:
    from sohistio.model.cause import Cause

LONGEST_REASON = 300
"""Characters: a change number and a sentence. The record keeps 50 of them in one object of the cluster."""

# What Azure DevOps leaves of a variable that has no value: `$(name)` itself.
_NOT_SET = re.compile(r"\$\([^()]*\)")
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


def reason_of(text: str | None) -> str:
    """A reason as it is recorded: one line, nothing in it that a terminal obeys, at most LONGEST_REASON characters.

    What is longer is cut, and never refused: a failover at night does not wait for a shorter sentence.
    """
    line = one_line(" ".join((text or "").split()))
    if _NOT_SET.fullmatch(line):
        return ""
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"
