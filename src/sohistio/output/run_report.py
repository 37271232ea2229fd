"""Reports a run to people: tables and lines, live progress in a terminal, questions on its stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sohistio.output.console import console
from sohistio.output.error_text import print_error
from sohistio.output.lines import LineObserver
from sohistio.output.tables import checks_view, gateways_view, plan_view, result_line, show
from sohistio.plan.plan import Plan
from sohistio.run.progress import Observer, RunResult
from sohistio.run.reporter import Tone
from sohistio.system.sanitize import one_line
from sohistio.system.streams import can_ask

if TYPE_CHECKING:
    from sohistio.checks.preflight.report import Report

_STYLES = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.WARNING: "bold yellow"}


class RunReport:
    """Reports on stdout, or on stderr where stdout is left to a document. A `Reporter`."""

    def __init__(self, *, stderr: bool) -> None:
        self._console = console(stderr=stderr)
        self.stream = self._console.stream

    def plan(self, plan: Plan) -> None:
        """The plan as tables."""
        show(self._console, plan_view(plan))

    def line(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """One line."""
        self._console.print(text, style=_STYLES[tone])

    def preflight(self, report: Report) -> None:
        """What is worth a look and stops nothing, with its hints; the refusal has the rest of what does not hold."""
        if report.warnings:
            show(self._console, checks_view(report.warnings))

    @contextmanager
    def observer(self) -> Iterator[Observer]:
        """A live display in a terminal, else one line an event."""
        if self._console.stream.isatty() and not self._console.is_dumb_terminal:
            from sohistio.output.live import LiveObserver

            with LiveObserver(self._console) as live:
                yield live
        else:
            yield LineObserver(self._console.stream)

    def result(self, result: RunResult) -> None:
        """The verification's checks, what the gateways went through, how it ended; an error on stderr."""
        show(self._console, checks_view(result.checks), gateways_view(result), result_line(result))
        if result.error is not None:
            print_error(result.error)

    def can_ask(self) -> bool:
        """Whether there is a terminal to ask on."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str) -> str:
        """Ask on the terminal's stderr, so that stdout stays clean."""
        sys.stderr.write(one_line(question))
        sys.stderr.flush()
        try:
            return sys.stdin.readline().strip() if can_ask() else ""
        except OSError:  # the terminal has gone
            return ""
