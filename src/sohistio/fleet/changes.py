"""What changed between two looks at the same environments. Ages do not: they grow by themselves. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sohistio.fleet.cells import Column, cells_of
from sohistio.fleet.row import EnvironmentStatus


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell that says something else than before."""

    environment: str
    column: Column
    before: str
    after: str

    def line(self) -> str:
        """For people."""
        return f"{self.environment}: {self.column.heading} {self.before} → {self.after}"


def changes_between(
    before: Sequence[EnvironmentStatus], after: Sequence[EnvironmentStatus], now: float
) -> tuple[CellChange, ...]:
    """Every cell that changed, by environment and column; `now` is the later look, in seconds since 1970."""
    known = {row.environment: row for row in before}
    found: list[CellChange] = []
    for row in after:
        if (old := known.get(row.environment)) is None:
            continue
        cells = (cells_of(old, now), cells_of(row, now))
        for column in Column:
            texts = [cell[column].words for cell in cells]
            if _subject(old, column, texts[0]) != _subject(row, column, texts[1]):
                found.append(CellChange(row.environment, column, *texts))
        found += _problem(old, row)
    return tuple(found)


def _subject(row: EnvironmentStatus, column: Column, text: str) -> object:
    """The text; where that shows an age, what it is about."""
    standby = row.standby
    aging: dict[Column, object] = {
        Column.CERTIFICATE: row.certificates,
        Column.LAST_RUN: row.last_run,
        Column.SYNCED: standby and (standby.synced, standby.left),
        Column.REHEARSED: standby and standby.rehearsed,
    }
    return aging.get(column, text)


def _problem(old: EnvironmentStatus, row: EnvironmentStatus) -> list[CellChange]:
    """Another problem in the same state is a change, too."""
    if old.problem == row.problem or old.trouble is not row.trouble:
        return []
    return [CellChange(row.environment, Column.STATE, old.problem or "no problem", row.problem or "no problem")]
