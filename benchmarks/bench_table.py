"""The table of a benchmark run, as docs/performance.md has it."""

from __future__ import annotations

from collections.abc import Mapping

from measured import HEAD, Row, machine
from sandboxes import CHECKOUT

PAGE = CHECKOUT / "docs" / "performance.md"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


class Growth:
    """How something grows with the size of a cluster: for each size a figure of each line."""

    def __init__(self, size: str, unit: str) -> None:
        self.size, self.unit = size, unit
        self.points: dict[str, list[tuple[float, float]]] = {}

    def add(self, size: float, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.points.setdefault(name, []).append((size, value))


class Table:
    """Rows in the order in which they were measured, and what grows."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.growth: list[Growth] = []

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
