"""All environments in a terminal: a line for each where there is room, else a block of lines for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from sohistio.fleet.cells import Cell, Column, cells_of
from sohistio.fleet.row import EnvironmentStatus
from sohistio.fleet.state import summary
from sohistio.output.environment_facts import OF_STANDBYS, STYLES, lock_line
from sohistio.output.standbys import standby_line
from sohistio.system.sanitize import one_line

_CHANGED = "reverse"
# Standbys have a line of their own below.
_COLUMNS = tuple(column for column in Column if column not in OF_STANDBYS)
_LEAST_LAST_RUN = 9
_GAPS = (2, 1)
"""Blanks between columns, the most first."""
_PARTS = " · "

Changed = Collection[tuple[str, Column]]
"""The cells that are highlighted."""


def fleet_view(
    rows: Sequence[EnvironmentStatus], now: float, width: int | None, changed: Changed = ()
) -> RenderableType:
    """The table, what goes with it, and how many are in which state. `width` None is as much as it takes."""
    found = [(row, cells_of(row, now)) for row in rows]
    lines = _table(found, width, changed) or _blocks(found, width or 0, changed)
    lines += [note for row in rows for note in _notes(row, now, width)]
    lines.append(Text(summary(rows), style="bold"))
    if any(row.problem or row.missing for row in rows):
        lines.append(_cut(Text("`sohistio status --env NAME` shows one with all details.", style="dim"), width))
    return Group(*lines)


_Found = Sequence[tuple[EnvironmentStatus, Mapping[Column, Cell]]]


def _table(found: _Found, width: int | None, changed: Changed) -> list[Text]:
    """Nothing where it does not fit."""
    whole = [cells for row, cells in found if not row.problem]
    widths = {
        column: max([cell_len(column), *(cell_len(one_line(cells[column].text)) for cells in whole)])
        for column in _COLUMNS
    }
    names = [cell_len(one_line(row.environment)) for row, _ in found]
    widths[Column.ENVIRONMENT] = max([cell_len(Column.ENVIRONMENT), *names])
    fixed = sum(size for column, size in widths.items() if column is not Column.LAST_RUN)
    for gap in _GAPS:
        room = None if width is None else width - fixed - gap * (len(_COLUMNS) - 1)
        if room is None or room >= min(widths[Column.LAST_RUN], _LEAST_LAST_RUN):
            break
    else:
        return []
    blank = " " * gap
    lines = [Text(blank.join(f"{column:<{widths[column]}}" for column in _COLUMNS).rstrip(), style="bold")]
    for row, cells in found:
        parts = [_text(row, column, cells, changed) for column in _COLUMNS]
        if row.problem:
            state = parts[1] + Text(" " * (_GAPS[0] - gap))
            parts = [parts[0], state, Text(one_line(row.problem), style="red")]
        padded = [_padded(part, widths[column]) for part, column in zip(parts, _COLUMNS, strict=False)]
        lines.append(_cut(Text(blank).join([*padded[:-1], parts[-1]]), width))
    return lines


def _blocks(found: _Found, width: int, changed: Changed) -> list[Text]:
    lines: list[Text] = []
    for row, cells in found:
        head = [_text(row, column, cells, changed) for column in _COLUMNS[:2]]
        head[0].stylize("bold")
        lines.append(_cut(Text("  ").join(head), width))
        if row.problem:
            lines.append(_cut(Text(f"  {one_line(row.problem)}", style="red"), width))
            continue
        line = Text("  ")
        for column in _COLUMNS[2:]:
            part = Text(f"{column} ", style="dim") + _text(row, column, cells, changed)
            if cell_len(line.plain) > 2 and cell_len(line.plain + _PARTS + part.plain) > width:
                lines.append(_cut(line, width))
                line = Text("  ")
            line += (Text(_PARTS, style="dim") if cell_len(line.plain) > 2 else Text("")) + part
        lines.append(_cut(line, width))
    return lines


def _text(row: EnvironmentStatus, column: Column, cells: Mapping[Column, Cell], changed: Changed) -> Text:
    text = Text(one_line(cells[column].text), style=STYLES[cells[column].level])
    if (row.environment, column) in changed:
        text.stylize(_CHANGED)
    return text


def _padded(text: Text, width: int) -> Text:
    return text + Text(" " * max(0, width - cell_len(text.plain)))


def _cut(text: Text, width: int | None) -> Text:
    """In one line of the terminal."""
    text = text if text.plain.isprintable() else text.blank_copy(one_line(text.plain))
    if width is not None:
        text.truncate(width, overflow="ellipsis")
    text.rstrip()
    return text


def _notes(row: EnvironmentStatus, now: float, width: int | None) -> list[Text]:
    """What has no column; of a standby all of it, folded if need be."""
    short = [f"a run is at work: {lock_line(row.lock, now)}"] if row.lock else []
    notes = [_cut(Text(f"{row.environment}: {note}", style="dim"), width) for note in (*short, *row.missing)]
    if row.standby and not row.problem:
        notes.append(Text(one_line(f"{row.environment}: {standby_line(row.standby, now)}"), style="dim"))
    return notes
