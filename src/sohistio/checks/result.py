"""What came of one check, for people and for machines. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sohistio.model.fault import Severity


class Result(StrEnum):
    """Whether the check holds."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check's outcome: what was found, and what to do where it does not hold; `brief` is what was found for people,
    where the message quotes a long text of somebody's.
    """

    name: str
    severity: Severity
    result: Result
    message: str
    hint: str = ""
    brief: str = ""

    @property
    def for_people(self) -> str:
        """What was found, at a length that a line of a table bears."""
        return self.brief or self.message

    @property
    def breaks(self) -> bool:
        """Whether it makes the verification fail."""
        return self.result is Result.FAILED and self.severity is Severity.ERROR


def check_document(check: CheckResult) -> dict[str, str]:
    """A check's result as JSON."""
    return {
        "name": check.name,
        "severity": check.severity.value,
        "result": check.result.value,
        "message": check.message,
        "hint": check.hint,
    }


def passed(name: str, message: str) -> CheckResult:
    """A check that holds."""
    return CheckResult(name, Severity.ERROR, Result.PASSED, message)


def failed(name: str, message: str, hint: str) -> CheckResult:
    """One that does not: the verification fails."""
    return CheckResult(name, Severity.ERROR, Result.FAILED, message, hint)


def warned(name: str, message: str, hint: str) -> CheckResult:
    """One that does not, and fails nothing."""
    return CheckResult(name, Severity.WARNING, Result.FAILED, message, hint)
