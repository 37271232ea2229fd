"""`sohistio status --watch`: a table drawn anew at each look; where it is no terminal, a line for each change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from sohistio.fleet.changes import CellChange, changes_between
from sohistio.fleet.row import EnvironmentStatus
from sohistio.fleet.state import state_of, summary
from sohistio.output.console import SafeConsole, say
from sohistio.output.fleet_table import fleet_view

_MOST_CHANGES = 8
"""Of the latest, under the table."""


class LiveFleet:
    """For a terminal. Use it as a context manager: it gives the terminal back; what was seen last stays."""

    def __init__(self, console: SafeConsole, every: int) -> None:
        self._console = console
        self._every = every
        self._rows: Sequence[EnvironmentStatus] = ()
        self._at = 0.0
        self._changed: tuple[CellChange, ...] = ()
        self._lines: list[str] = []
        self._live = Live(console=console, get_renderable=self._draw, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, rows: Sequence[EnvironmentStatus], at: float) -> None:
        """Draw what this look found; what is not as at the look before is highlighted and listed."""
        self._changed = changes_between(self._rows, rows, at)
        self._lines = [*self._lines, *(_line(change, at) for change in self._changed)][-_MOST_CHANGES:]
        self._rows, self._at = rows, at
        self._live.refresh()

    def _draw(self) -> RenderableType:
        if not self._rows:
            return Text("looking at all environments …", style="dim")
        width = self._console.width
        marks = {(change.environment, change.column) for change in self._changed}
        foot = f"looked at {_clock(self._at)} UTC, again every {self._every} s; Ctrl-C ends"
        changes = [Text(line, style="bold", overflow="ellipsis", no_wrap=True) for line in self._lines]
        # The last line is empty: a terminal echoes ^C where the cursor is.
        table = fleet_view(self._rows, self._at, width, marks)
        return Group(table, *changes, Text(foot, style="dim", overflow="ellipsis", no_wrap=True), Text(""))


class FleetLines:
    """For a log: how all are at first, then a line for each change."""

    def __init__(self) -> None:
        self._rows: Sequence[EnvironmentStatus] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """There is nothing to give back."""

    def show(self, rows: Sequence[EnvironmentStatus], at: float) -> None:
        """Print what is new in this look; nothing where nothing is."""
        if not self._rows:
            say(f"{_clock(at)} {summary(rows)}")
            for row in rows:
                why = f": {row.problem or row.pending}" if row.problem or row.pending else ""
                say(f"{_clock(at)} {row.environment}: {state_of(row).words}{why}")
        for change in changes_between(self._rows, rows, at):
            say(_line(change, at))
        self._rows = rows


def _line(change: CellChange, at: float) -> str:
    return f"{_clock(at)} {change.line()}"


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"
