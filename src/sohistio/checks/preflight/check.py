"""What a check is made of: a row of data with a function, and what that function yields."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from sohistio.checks.preflight.context import Context
from sohistio.model.fault import NEVER_SKIPPED, Fault, Severity

DEADLINE_SECONDS = 30.0
"""For each check, unless its row says otherwise."""
ISTIOCTL_SECONDS = 130.0
"""For those that run istioctl."""
_DOCS = "docs/preflight.md"


@dataclass(frozen=True, slots=True)
class Good:
    """The check holds, or one of the things that it looks at."""

    message: str


@dataclass(frozen=True, slots=True)
class NotAsked:
    """There is nothing to look at, such as a pull secret where the environment has none."""

    reason: str


Verdict = Good | Fault | NotAsked


class Stage(Enum):
    """Which runs a check stops: `ALWAYS` every run, `CHANGE` those that change the version or the manifest.

    `CHECK` belongs to `sohistio check` only: a run finds it out by itself, while it plans or when it takes the lock.
    """

    ALWAYS = "always"
    CHANGE = "change"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `about` says what holds when it passes, `hint` what to do when it does not."""

    name: str
    severity: Severity
    about: str
    hint: str
    look: Callable[[Context], Iterable[Verdict]]
    stage: Stage = Stage.CHANGE
    seconds: float = DEADLINE_SECONDS

    @property
    def mandatory(self) -> bool:
        """Whether it cannot be skipped."""
        return self.name in NEVER_SKIPPED

    @property
    def docs(self) -> str:
        """Where the check is explained."""
        return docs_of(self.name)

    def document(self) -> dict[str, object]:
        """The row as JSON, for `--list`."""
        return {
            "name": self.name,
            "severity": self.severity.value,
            "mandatory": self.mandatory,
            "about": self.about,
            "hint": self.hint,
            "docs": self.docs,
        }


def docs_of(name: str) -> str:
    """The section of the documentation about a check."""
    return f"{_DOCS}#{name}"
