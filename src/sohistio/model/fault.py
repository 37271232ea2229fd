"""What does not hold: of the version policy, of the cluster's identity, of a preflight check. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NEVER_SKIPPED = frozenset(
    {
        "environment",
        "api-server",
        "istioctl",
        "plan",
        "lock",
        "cluster-running",
        "managed-add-on",
        "cluster-environment",
        "one-minor-at-a-time",
    }
)
"""The rules that `--skip-check` cannot skip: without them nothing else makes sense, or the run would fail all the
same."""


class Severity(StrEnum):
    """How bad it is when a rule does not hold."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule does not hold. `rule` is its name, empty where the check that found it gives it.

    Without a hint or severity of its own, the check's counts; `details` are lines of evidence.
    """

    message: str
    hint: str = ""
    severity: Severity | None = None
    details: tuple[str, ...] = ()
    rule: str = ""

    @property
    def blocks(self) -> bool:
        """Whether it stops a run; a warning is only reported."""
        return self.severity is not Severity.WARNING

    @property
    def can_be_skipped(self) -> bool:
        """Whether `--skip-check` may name its rule."""
        return self.rule not in NEVER_SKIPPED
