"""The table in 100 columns, the blocks in 60, the details of one; and nothing of a cluster's text that is obeyed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

import fleet
from fleet import NOW
from sohistio.fleet.cells import Column
from sohistio.output.console import SafeConsole
from sohistio.output.environment_facts import details_view
from sohistio.output.fleet_table import fleet_view
from sohistio.output.tables import show

GOLDEN = Path(__file__).parent / "golden"


def shown(part: RenderableType, width: int) -> str:
    stream = io.StringIO()
    show(SafeConsole(stream, width=width, plain=True), part)
    return stream.getvalue()


@pytest.mark.parametrize(("name", "width"), [("fleet-100", 100), ("fleet-60", 60), ("fleet-whole", None)], ids=str)
def test_golden(name: str, width: int | None) -> None:
    text = shown(fleet_view(fleet.fleet(), NOW, width), width or 180)
    file = GOLDEN / f"{name}.txt"
    if not file.exists():
        file.write_text(text, encoding="utf-8")
        pytest.fail(f"{file} was written: read it")
    assert text == file.read_text(encoding="utf-8")


def test_golden_details() -> None:
    text = "\n".join(shown(details_view(row, NOW), 100) for row in (fleet.drifted("prod"), fleet.invalid("test")))
    file = GOLDEN / "fleet-details.txt"
    if not file.exists():
        file.write_text(text, encoding="utf-8")
        pytest.fail(f"{file} was written: read it")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [100, 80, 60, 40])
def test_an_environment_is_a_line_that_fits(width: int) -> None:
    rows = [*fleet.fleet(), fleet.hostile(), fleet.hostile_problem()]
    standbys = [row for row in rows if row.standby]
    text = shown(fleet_view([row for row in rows if row not in standbys], NOW, width), 200)
    lines = [line for line in text.splitlines() if not line.startswith("8 environments")]
    assert max(map(cell_len, lines)) <= width
    assert all(line.isprintable() for line in text.splitlines())


def test_what_changed_is_marked() -> None:
    view = fleet_view(fleet.fleet(), NOW, 100, {("prod", Column.STATE)})
    assert isinstance(view, Group)
    lines = [line for line in view.renderables if isinstance(line, Text)]
    marked = [line.plain[span.start : span.end] for line in lines for span in line.spans if span.style == "reverse"]
    assert marked == ["drift"]
