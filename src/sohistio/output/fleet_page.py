"""All environments as one page: a file of its own that fetches nothing, runs only its own script and sends nothing.

The body is made of elements, so that text from a cluster is text wherever it stands.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from xml.etree.ElementTree import Element, SubElement, tostring

from sohistio import __version__
from sohistio.fleet.cells import Cell, Column, cells_of
from sohistio.fleet.row import EnvironmentStatus
from sohistio.fleet.state import Level, summary
from sohistio.output.environment_facts import OF_STANDBYS, facts_of
from sohistio.system.sanitize import one_line

_TITLE = "Istio environments"
_PARTS = files("sohistio.output") / "page"
_CLASSES = {Level.PLAIN: "", Level.GOOD: "good", Level.ATTENTION: "attention", Level.BAD: "bad"}
_FIRST = (Column.ENVIRONMENT, Column.STATE)


@dataclass(frozen=True, slots=True)
class Look:
    """The rows, and when they were looked at in seconds since 1970; `every` so many seconds there is another look."""

    rows: Sequence[EnvironmentStatus]
    at: float
    every: int | None = None


def fleet_page(look: Look) -> str:
    """The whole page."""
    style, script = (_PARTS.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    refresh = f'<meta http-equiv="refresh" content="{look.every}">\n' if look.every else ""
    return Template(_PARTS.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        policy=escape(_policy(style, script)),
        refresh=refresh,
        title=f"{_TITLE}: {escape(summary(look.rows))}",
        style=style,
        script=script,
        body="\n".join(tostring(part, encoding="unicode", method="html") for part in (_header(look), _main(look))),
    )


def _policy(style: str, script: str) -> str:
    """Content-Security-Policy: nothing from anywhere, and of what is in the page only these two."""
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in (style, script)]
    parts = ("default-src 'none'", f"style-src 'sha256-{hashes[0]}'", f"script-src 'sha256-{hashes[1]}'")
    return "; ".join((*parts, "img-src data:", "base-uri 'none'", "form-action 'none'"))


def _header(look: Look) -> Element:
    header = Element("header")
    _add(header, "h1", _TITLE)
    _add(header, "p", summary(look.rows), {"class": "summary"})
    at = datetime.fromtimestamp(look.at, UTC)
    line = _add(header, "p", "Looked at ", {"class": "quiet"})
    time = _add(line, "time", f"{at:%Y-%m-%d %H:%M:%S} UTC", {"datetime": at.isoformat(timespec="seconds")})
    again = f", again every {look.every} s" if look.every else ""
    time.tail = f" by sohistio {__version__}{again}. Ages are those of then."
    return header


def _main(look: Look) -> Element:
    main = Element("main")
    table = _add(main, "table", attributes={"role": "table"})
    _add(table, "caption", "Every environment, as its cluster was found; a heading sorts.")
    head = _add(_add(table, "thead", attributes={"role": "rowgroup"}), "tr", attributes={"role": "row"})
    shown = [column for column in Column if any(row.standby for row in look.rows) or column not in OF_STANDBYS]
    for column in shown:
        names = {"scope": "col", "role": "columnheader", "data-column": column.name.lower()}
        _add(head, "th", column.heading, names)
    for number, row in enumerate(look.rows):
        group = _add(table, "tbody", attributes={"role": "rowgroup"})
        _row(group, row, look.at, shown)
        place = _add(_add(group, "tr", attributes={"role": "row"}), "td", attributes=_across(len(shown), "more"))
        _details(place, row, look.at, number)
    _add(main, "p", "", {"id": "sorted", "class": "aside", "role": "status"})
    return main


def _row(body: Element, row: EnvironmentStatus, now: float, shown: Sequence[Column]) -> None:
    cells = cells_of(row, now)
    # In cards the elements are laid out as blocks, and would lose what they mean to a screen reader.
    line = _add(body, "tr", attributes={"role": "row"})
    name = {"scope": "row", "role": "rowheader"} | _sorted_by(Column.ENVIRONMENT, cells[Column.ENVIRONMENT])
    head = _add(line, "th", attributes=name)
    _add(head, "span", row.environment, {"class": "value"})
    state = _cell(line, Column.STATE, cells[Column.STATE])
    _add(state, "span", cells[Column.STATE].text, {"class": "badge"})
    rest = [column for column in shown if column not in _FIRST]
    if row.problem:
        _add(_add(line, "td", attributes=_across(len(rest), "problem")), "span", row.problem, {"class": "value"})
        return
    for column in rest:
        _add(_cell(line, column, cells[column]), "span", cells[column].text, {"class": "value"})


def _across(columns: int, kind: str) -> dict[str, str]:
    return {"class": kind, "role": "cell", "colspan": str(columns)}


def _cell(line: Element, column: Column, cell: Cell) -> Element:
    kind = _CLASSES[cell.level] or ("none" if cell.text == "-" else "")
    attributes = {"role": "cell", "data-label": column.heading} | _sorted_by(column, cell)
    return _add(line, "td", attributes=attributes | ({"class": kind} if kind else {}))


def _sorted_by(column: Column, cell: Cell) -> dict[str, str]:
    return {"data-column": column.name.lower(), "data-order": one_line(str(cell.order))}


def _details(parent: Element, row: EnvironmentStatus, now: float, number: int) -> None:
    details = _add(parent, "details", attributes={"id": f"details-{number}"})
    label = _add(details, "summary", "details")
    _add(label, "span", f" of {row.environment}", {"class": "aside"})
    facts = _add(details, "dl")
    for name, cell in facts_of(row, now)[2:]:
        _add(facts, "dt", name)
        _add(facts, "dd", cell.text)


def _add(parent: Element, tag: str, text: str = "", attributes: dict[str, str] | None = None) -> Element:
    element = SubElement(parent, tag, attributes or {})
    element.text = one_line(text)
    return element
