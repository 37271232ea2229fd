"""What carrying a plan out reports, and to whom it puts a question. Who prints is decided outside."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from sohistio.plan.plan import Plan
from sohistio.run.progress import Observer, RunResult

if TYPE_CHECKING:
    from sohistio.checks.preflight.report import Report


class Tone(StrEnum):
    """How a line is meant."""

    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"


class Reporter(Protocol):
    """Reported to from the run's own thread, in order."""

    def plan(self, plan: Plan) -> None:
        """A plan, before it is approved."""

    def line(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """One line."""

    def preflight(self, report: Report) -> None:
        """All checks that were made before the run, also the ones that stop it."""

    def observer(self) -> AbstractContextManager[Observer]:
        """Who hears of the run's progress while the block runs."""

    def result(self, result: RunResult) -> None:
        """How the run ended, its error too."""

    def can_ask(self) -> bool:
        """Whether there is somebody to ask."""

    def ask(self, question: str) -> str:
        """The answer, empty where nobody gave one: nobody approves what could not be shown."""
