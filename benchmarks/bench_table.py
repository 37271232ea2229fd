"""The table of a benchmark run, as docs/performance.md has it."""

from __future__ import annotations

from measured import HEAD, Row, machine
from sandboxes import CHECKOUT

PAGE = CHECKOUT / "docs" / "performance.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


class Table:
    """Rows in the order in which they were measured."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, row: Row) -> Row:
        print(row.markdown())
        self.rows.append(row)
        return row


def write(rows: list[Row]) -> None:
    """Put the rows in place of those of the same name, below what they were measured on."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    kept = {
        line.split("|")[1].strip(): line for line in old.splitlines() if line.startswith("| ") and "---" not in line
    }
    kept.pop("what", None)
    kept |= {row.what: row.markdown() for row in rows}
    body = "\n".join([f"Measured on {machine()}.", "", HEAD, *kept.values()])
    PAGE.write_text(f"{before}{BEGIN}\n{body}\n{END}{after}", encoding="utf-8")
