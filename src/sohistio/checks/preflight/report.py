"""What came of the checks, as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.checks.preflight.check import Check, docs_of
from sohistio.checks.result import CheckResult, Result, check_document
from sohistio.errors import ExitCode, RefusedError
from sohistio.model.document import SCHEMA_VERSION
from sohistio.model.words import counted

_DOCS = "docs/preflight.md"


def ended(end: str, names: Sequence[str]) -> str:
    """`3 failed`, `1 warning`, `2 warnings`: a key of `Report.names` with its names, counted."""
    return counted(len(names), end) if end == "warning" else f"{len(names)} {end}"


@dataclass(frozen=True, slots=True)
class Report:
    """The results of an environment's checks, in the order of the registry."""

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

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The checks' names by how they ended, without what nothing ended as: failed, warning, passed, skipped.

        Each once, by the worst of its results.
        """
        passed = (check for check in self.checks if check.result is Result.PASSED)
        ends = {"failed": self.failures, "warning": self.warnings, "passed": passed, "skipped": self.checks}
        found: dict[str, tuple[str, ...]] = {}
        left = dict.fromkeys(check.name for check in self.checks)
        for end, checks in ends.items():
            if names := tuple(dict.fromkeys(check.name for check in checks if check.name in left)):
                found[end] = names
                left = {name: None for name in left if name not in names}
        return found

    def summary(self) -> str:
        """One line that counts."""
        return f"{self.environment}: {', '.join(ended(end, names) for end, names in self.names.items())}"

    def document(self) -> dict[str, Any]:
        """The report as versioned JSON."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "kind": "Preflight",
            "environment": self.environment,
            "result": "failed" if self.failures else "passed",
            "checks": [{**check_document(check), "docs": docs_of(check.name)} for check in self.checks],
        }

    def refusal(self, asked: Sequence[Check]) -> RefusedError:
        """The error that stops a run: every failure, and how to go on in spite of them.

        `asked` is empty where the run asks less than `sohistio check` does, which plans an install.
        """
        lines = [line for check in self.failures for line in (f"{check.name}: {check.message}", f"  → {check.hint}")]
        names = {check.name for check in self.failures}
        skips = [f"--skip-check {item.name}" for item in asked if item.name in names and not item.mandatory]
        count = len(names)
        again = "run `sohistio check` again" if asked else "run the same command again"
        return RefusedError(
            f"{count} preflight check{' does' if count == 1 else 's do'} not hold",
            details=tuple(lines),
            todo=f"Nothing was changed. Fix them, then {again}; docs/preflight.md explains each."
            + (f" If you know better: {' '.join(skips)}." if skips else ""),
            docs=_DOCS,
        )
