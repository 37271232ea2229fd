"""A tool that gives no sign of life any more: a connection that is lost without a word leaves it waiting for ever."""

from __future__ import annotations

from collections.abc import Hashable

from sohistio.errors import FailedError
from sohistio.run.wait import Waiting
from sohistio.system.sanitize import one_line
from sohistio.system.tool_run import ToolRun

_QUIET_SECONDS = 15.0
_SHOWN_LINES = 4


class Silence:
    """Of one run of a tool, in the run's working time: after a while it is told, after `seconds` it is an error."""

    def __init__(self, waiting: Waiting, tool: ToolRun, seconds: float) -> None:
        self._waiting = waiting
        self._tool = tool
        self._seconds = seconds
        self._seen: Hashable = None
        self.heard()

    def heard(self) -> None:
        """It is known what the tool is waiting for: that is no silence."""
        self._since, self._told = self._waiting.now(), False

    def look(self, *signs: Hashable) -> None:
        """Call it at each poll, with what changes where the tool is at work; its output is looked at as well.

        Raises FailedError, with the tool's last lines, once all has stayed the same for too long.
        """
        seen = (self._tool.last_lines, *signs)
        if seen != self._seen:
            self._seen = seen
            self.heard()
        quiet = self._waiting.now() - self._since
        if quiet > min(_QUIET_SECONDS, self._seconds) and not self._told:
            # Told first, also where a busy or suspended machine did not look for long: it has until the next look.
            self._told = True
            last = self._words()[-1:]
            words = f"; its last line: {one_line(last[0].strip())}" if last else ""
            self._waiting.observer.note(f"{self._tool.name} has done nothing for {quiet:.0f} s{words}")
        elif quiet > self._seconds:
            raise FailedError(
                f"{self._tool.name} did nothing for {self._seconds:.0f} s, and was ended",
                details=self._words()[-_SHOWN_LINES:],
                todo=f"Its connection to the API server may have been lost. Its whole output is in {self._tool.log}.",
                again="Run it again.",
            )

    def _words(self) -> tuple[str, ...]:
        """Its newest lines; istioctl begins with a drawing of a sail."""
        return tuple(line for line in self._tool.last_lines if any(map(str.isalnum, line)))
