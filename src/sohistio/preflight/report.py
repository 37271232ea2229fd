"""What came of the checks, as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.checks import CheckResult, Result
from sohistio.errors import ExitCode, RefusedError
from sohistio.plan import SCHEMA_VERSION
from sohistio.preflight.row import Row, docs_of
from sohistio.progress import check_document


@dataclass(frozen=True, slots=True)
class Report:
    """The results of an environment's checks, in the order of the rows."""

    environment: str
    checks: tuple[CheckResult, ...]

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """What stops a run."""
        return tuple(check for check in self.checks if check.breaks)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """What is worth a look and stops nothing."""
        return tuple(check for check in self.checks if check.result is Result.FAILED and not check.breaks)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of `sohistio check`: 0, or 3 as a run would be refused."""
        return ExitCode.REFUSED if self.failures else ExitCode.OK

    def summary(self) -> str:
        """One line."""
        counts = [f"{len(found)} {word}" for found, word in self._counted() if found]
        return f"{self.environment}: {', '.join(counts)}"

    def _counted(self) -> list[tuple[Sequence[CheckResult], str]]:
        by = {result: [check for check in self.checks if check.result is result] for result in Result}
        many = "" if len(self.warnings) == 1 else "s"
        return [
            (self.failures, "failed"),
            (self.warnings, f"warning{many}"),
            (by[Result.PASSED], "passed"),
            (by[Result.SKIPPED], "skipped"),
        ]

    def document(self) -> dict[str, Any]:
        """The report as versioned JSON."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "kind": "Preflight",
            "environment": self.environment,
            "result": "failed" if self.failures else "passed",
            "checks": [{**check_document(check), "docs": docs_of(check.name)} for check in self.checks],
        }

    def refusal(self, rows: Sequence[Row]) -> RefusedError:
        """The error that stops a run: every failure, and how to go on in spite of them."""
        lines = [line for check in self.failures for line in (f"{check.name}: {check.message}", f"  → {check.hint}")]
        names = {check.name for check in self.failures}
        skips = [f"--skip-check {row.name}" for row in rows if row.name in names and not row.mandatory]
        count = len(self.failures)
        return RefusedError(
            f"{count} preflight check{' does' if count == 1 else 's do'} not hold",
            details=tuple(lines),
            todo="Nothing was changed. Settle them; `sohistio check` looks again, docs/preflight.md says more."
            + (f" If you know better: {' '.join(skips)}." if skips else ""),
        )
