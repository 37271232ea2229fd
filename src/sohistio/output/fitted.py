"""What stays readable where it does not fit: lines that are folded, tables whose rows become blocks of lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from sohistio.system.sanitize import one_line

if TYPE_CHECKING:
    from rich.console import Console  # noqa: TID251 — its type only

_NARROWEST_PROSE = 30
_DEEPER = 2


def _shown(text: str | Text) -> Text:
    """As it is printed, so that its width is known: what a terminal would obey is made visible."""
    whole = text if isinstance(text, Text) else Text(text)
    shown = one_line(whole.plain)
    return whole if shown == whole.plain else whole.blank_copy(shown)


class Hanging:
    """A line that a terminal folds between words; what follows is indented deeper than its beginning."""

    def __init__(self, text: Text) -> None:
        self._text = _shown(text)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not console.is_terminal or self._text.cell_len <= options.max_width:
            yield self._text
            return
        indent = len(self._text.plain) - len(self._text.plain.lstrip())
        deeper = indent + _DEEPER
        lines = self._text[indent:].wrap(console, max(options.max_width - deeper, 1), overflow="fold")
        for number, line in enumerate(lines):
            line.rstrip()
            yield Text(" " * (deeper if number else indent)) + line


class Fitted:
    """Rows under their columns' names, no word of them cut.

    `prose` is the column that may be folded between words. A row with an empty first cell goes on with the one before
    it. What is no terminal gets the table in any case: a line of a log stays a row.
    """

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Sequence[str | Text]], *, prose: int | None = None, gap: int = 4
    ) -> None:
        self._columns = columns
        self._rows = [[_shown(cell) for cell in row] for row in rows]
        self._prose = prose
        self._gap = gap

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [
            max(cell.cell_len for cell in (Text(name), *(row[number] for row in self._rows)))
            for number, name in enumerate(self._columns)
        ]
        gaps = len(widths) - 1
        folded = [min(width, _NARROWEST_PROSE) if n == self._prose else width for n, width in enumerate(widths)]
        if not console.is_terminal:
            yield self._table(self._gap, whole=False)
            return
        for gap, wanted in ((self._gap, widths), (2, widths), (1, widths), (2, folded)):
            if sum(wanted) + gaps * gap <= options.max_width:
                yield self._table(gap, whole=True)
                return
        yield from self._blocks()

    def _table(self, gap: int, *, whole: bool) -> Table:
        table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="bold")
        for number, name in enumerate(self._columns):
            table.add_column(name, overflow="fold", no_wrap=whole and number != self._prose)
        for row in self._rows:
            table.add_row(*row)
        return table

    def _blocks(self) -> Iterator[RenderableType]:
        """Prose has no name before it, and all the width."""
        names = [name for number, name in enumerate(self._columns) if number != self._prose]
        for number, row in enumerate(self._rows):
            if row[0].plain and number:
                yield Text("")
            block = Table.grid(padding=(0, 2, 0, 0))
            block.add_column(style="bold", no_wrap=True, width=max(map(len, names)))
            block.add_column(overflow="fold")
            for name, cell in zip(self._columns, row, strict=True):
                if cell.plain and name in names:
                    block.add_row(name, cell)
            if block.row_count:
                yield block
            if self._prose is not None:
                yield Hanging(Text("  ") + row[self._prose])
