"""The options that say which workloads a run restarts, and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from sohistio.commands.options import OptionGroup, change_option
from sohistio.errors import UsageError

if TYPE_CHECKING:
    from sohistio.commands.reason import Reason
    from sohistio.model.restart_policy import Share
    from sohistio.model.restart_times import Moment

_PERCENT, _COUNT = re.compile(r"([1-9][0-9]?|100) ?%"), re.compile(r"[1-9][0-9]{0,5}")


class RestartShare(OptionGroup):
    """How many of the workloads are restarted."""

    limit: Annotated[
        str | None,
        change_option("--limit", metavar="SHARE", help="Restart only 20% (always the same), or 15."),
    ] = None

    @property
    def share(self) -> Share | None:
        """What it says, None where it says nothing. Raises UsageError."""
        from sohistio.model.restart_policy import Share

        if self.limit is None:
            return None
        if match := _PERCENT.fullmatch(self.limit):
            return Share(percent=int(match[1]))
        if _COUNT.fullmatch(self.limit):
            return Share(count=int(self.limit))
        raise UsageError(
            f"--limit {self.limit!r} is neither a share nor a number of workloads", todo="Give one such as 20% or 15."
        )


class AsOf(OptionGroup):
    """The time that a plan is made for."""

    at: Annotated[
        str | None,
        change_option("--at", metavar="TIME", help="Windows as of `2030-11-30 02:30 Europe/Berlin`."),
    ] = None

    @property
    def moment(self) -> Moment | None:
        """That time, None for now. Raises UsageError, also where it is over: nothing is restarted in the past."""
        from sohistio.model.restart_times import MOMENT_EXAMPLE, moment_of, moment_text, to_the_minute

        if self.at is None:
            return None
        try:
            moment = moment_of(self.at)
        except ValueError as error:
            raise UsageError(f"--at {self.at!r}: {error}", todo=f"Give one such as {MOMENT_EXAMPLE}.") from error
        now = to_the_minute(datetime.now(UTC))
        if moment < now:
            raise UsageError(
                f"--at {self.at!r} is in the past: that was {moment_text(moment)}, now it is {moment_text(now)}",
                todo="Give the time at which the plan will be carried out; without --at it is for now.",
            )
        return moment


class Emergency(OptionGroup):
    """What a person on call may overrule."""

    outside_windows: Annotated[
        bool,
        change_option("--outside-windows", help="In spite of windows and freezes; needs --reason."),
    ] = False

    def overrules(self, reason: Reason) -> bool:
        """Whether windows and freezes are passed over. Raises UsageError where nobody says why."""
        if self.outside_windows and not reason.cause.reason:
            raise UsageError(
                "--outside-windows passes over windows and freezes, so it needs a reason",
                todo="Give --reason TEXT; it is recorded.",
            )
        return self.outside_windows
