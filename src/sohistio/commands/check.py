"""check: every preflight check, nothing written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.table import Table
from rich.text import Text

from sohistio.checks.preflight.check import Row
from sohistio.checks.preflight.preparation import scene_of
from sohistio.checks.preflight.registry import ROWS
from sohistio.checks.preflight.report import Report
from sohistio.checks.preflight.runner import look
from sohistio.commands.common import console, errors_as_json, print_json, session_of
from sohistio.errors import ExitCode
from sohistio.output.documents import print_document
from sohistio.output.junit import junit
from sohistio.output.tables import checks_view, show
from sohistio.plan.plan import SCHEMA_VERSION
from sohistio.planning.install import Request
from sohistio.planning.session import Where


class Form(StrEnum):
    """How the result is told."""

    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"


@dataclass(frozen=True, slots=True)
class Shown:
    """`seconds` is the deadline of each check, None for its own."""

    form: Form = Form.TABLE
    seconds: float | None = None


def check(where: Where, request: Request, shown: Shown) -> int:
    """`sohistio check`: 0, or 3 where a run would be refused. Also of an environment that is not valid."""
    with errors_as_json(shown.form is Form.JSON):
        session = session_of(where)
        scene = scene_of(session, request)
        session.told(f"checking {len(ROWS) - len(request.skip_checks)} things side by side")
        report = Report(where.environment, look(ROWS, scene, request.skip_checks, shown.seconds))
    if shown.form is Form.JSON:
        print_json(report.document())
    elif shown.form is Form.JUNIT:
        print_document(junit(f"sohistio.preflight.{report.environment}", report.checks))
    else:
        style = "bold red" if report.failures else "yellow" if report.warnings else "green"
        show(console(), checks_view(report.checks), Text(report.summary(), style=style))
    return report.exit_code


def list_checks(form: Form) -> int:
    """`sohistio check --list`: every check with its severity, what it is about, its hint and where it is explained."""
    if form is Form.JSON:
        checks = [row.document() for row in ROWS]
        print_json({"schemaVersion": SCHEMA_VERSION, "kind": "PreflightList", "checks": checks})
    else:
        show(console(), _listing(ROWS))
    return ExitCode.OK


def _listing(rows: Sequence[Row]) -> Table:
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="bold")
    table.add_column("check", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("what holds, and what to do if not", overflow="fold")
    for row in rows:
        severity = Text(row.severity.value, style="red" if row.severity.value == "error" else "yellow")
        table.add_row(row.name, severity, row.about)
        must = "cannot be skipped; " if row.mandatory else ""
        table.add_row("", "", Text(f"→ {row.hint}", style="dim"))
        table.add_row("", "", Text(f"{must}{row.docs}", style="dim"))
    return table
