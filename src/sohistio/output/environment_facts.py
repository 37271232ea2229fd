"""One environment with all details: for `sohistio status --env NAME`, and for the page where somebody asks for them."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sohistio.adapters.kubernetes.holder import Holder
from sohistio.fleet.cells import OF_STANDBYS, Cell, Column, cells_of
from sohistio.fleet.row import EnvironmentStatus, Lock
from sohistio.fleet.state import Level
from sohistio.output.standbys import standby_line
from sohistio.system.sanitize import one_line

STYLES = {Level.PLAIN: "", Level.GOOD: "green", Level.ATTENTION: "yellow", Level.BAD: "bold red"}


def lock_line(lock: Lock, now: float) -> str:
    """For people."""
    since, renewed, at = (datetime.fromtimestamp(seconds, UTC) for seconds in (lock.since, lock.renewed, now))
    return Holder(lock.holder, since, renewed).line(at)


def facts_of(row: EnvironmentStatus, now: float) -> list[tuple[str, Cell]]:
    """All that is known of one environment, each with its name, for a person who wants the details."""
    cells = cells_of(row, now)
    facts = [
        (column.heading, Cell(cells[column].words, level=cells[column].level))
        for column in Column
        if column not in OF_STANDBYS
    ]
    facts.insert(2, ("cluster", Cell(row.cluster or "-")))
    known = [fact for fact in facts if fact[1].text != "-"] if row.problem else facts
    soon = row.certificates.soon if row.certificates else ()
    optional = (
        ("a run would", row.pending if not row.problem else "", Level.PLAIN),
        *(("ends soon", name, Level.ATTENTION) for name in soon),
        *(("not read", name, Level.PLAIN) for name in (row.certificates.unread if row.certificates else ())),
        ("standby", standby_line(row.standby, now) if row.standby else "", Level.PLAIN),
        ("lock", lock_line(row.lock, now) if row.lock else "", Level.ATTENTION),
        *(("missing", note, Level.ATTENTION) for note in row.missing),
        ("problem", row.problem, Level.BAD),
        ("what to do", row.hint, Level.PLAIN),
    )
    return known + [(name, Cell(text, level=level)) for name, text, level in optional if text]


def details_view(row: EnvironmentStatus, now: float) -> RenderableType:
    """One environment, a line for each fact."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, cell in facts_of(row, now):
        grid.add_row(name, Text(one_line(cell.text), style=STYLES[cell.level]))
    return grid
