"""What a webhook gets of a run that changed something, or of one that was refused: data and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.cause import Cause
from sohistio.model.document import SCHEMA_VERSION
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry, run_document

REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Notice:
    """`run` is the run as the record has it, None where it was refused before it began; `at` is ISO 8601 in UTC.

    `killed` are runs before this one that never ended: nobody could report them when they died.
    `tally` says what the plan came to, `error` is the error's JSON with its text sanitized. `reason_required` is what
    the environment says: with it and without a reason, the run was one that may end an outage, or it was refused.
    """

    environment: str
    cause: Cause
    outcome: str
    exit_code: int
    who: str
    host: str
    at: str
    reason_required: bool = False
    run: RunEntry | None = None
    seconds: float = 0.0
    tally: str = ""
    error: Mapping[str, Any] | None = None
    killed: Sequence[RunEntry] = ()

    @property
    def title(self) -> str:
        """`prod: upgrade done`; `prod: uninstall refused`."""
        what = self.cause.command if self.run is None or self.run.mode is Mode.NONE else self.run.mode.value
        return f"{self.environment}: {what} {self.ended}"

    @property
    def ended(self) -> str:
        """The outcome in words."""
        return {"verificationFailed": "applied, but verification failed"}.get(self.outcome, self.outcome)

    def document(self) -> dict[str, Any]:
        """As versioned JSON."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "kind": "ChangeNotice",
            "title": self.title,
            "environment": self.environment,
            "command": self.cause.command,
            "reason": self.cause.reason,
            "reasonRequired": self.reason_required,
            "outcome": self.outcome,
            "exitCode": self.exit_code,
            "who": self.who,
            "host": self.host,
            "at": self.at,
            "seconds": round(self.seconds, 1),
            "tally": self.tally,
            "run": run_document(self.run) if self.run else None,
            "error": self.error,
            "killed": [run_document(run) for run in self.killed],
        }
