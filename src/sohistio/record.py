"""Our own record of what was installed and by whom: data and its JSON. Istio itself keeps no installed state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

RECORD_NAME = "sohistio-record"
# A ConfigMap holds 1 MiB; an entry is about 500 bytes.
MOST_RUNS = 50
_SCHEMA_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Applied:
    """An IstioOperator (YAML) that was applied, and its version."""

    version: str
    operator: str


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run. Times are ISO 8601 in UTC; `outcome` is `running` until it ends, `last_step` the step begun last."""

    id: str
    mode: str
    environment: str
    environment_digest: str
    plan_digest: str
    from_version: str
    to_version: str
    who: str
    host: str
    started: str
    ended: str = ""
    outcome: str = "running"
    last_step: str = ""
    backup: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept in ConfigMap istio-system/sohistio-record."""

    environment: str
    current: Applied | None = None
    previous: Applied | None = None
    runs: tuple[RunEntry, ...] = ()

    @property
    def last_run(self) -> RunEntry | None:
        """The newest run."""
        return self.runs[-1] if self.runs else None

    def with_run(self, run: RunEntry) -> Record:
        """Add a run, or bring the one with its id up to date."""
        others = tuple(known for known in self.runs if known.id != run.id)
        return replace(self, runs=(*others, run)[-MOST_RUNS:])

    def with_applied(self, applied: Applied) -> Record:
        """Note what a finished run applied; another version's manifest becomes the previous one, to roll back to."""
        known = self.current
        previous = known if known is not None and known != applied else self.previous
        return replace(self, current=applied, previous=previous)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "schemaVersion": _SCHEMA_VERSION,
            "environment": self.environment,
            "current": asdict(self.current) if self.current else None,
            "previous": asdict(self.previous) if self.previous else None,
            "runs": [run_document(run) for run in self.runs],
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Record:
        """Read the JSON back; raises ValueError where it is not one of ours."""
        try:
            if document["schemaVersion"] != _SCHEMA_VERSION:
                raise ValueError(f"schemaVersion {document['schemaVersion']!r}")
            return cls(
                environment=str(document["environment"]),
                current=Applied(**document["current"]) if document["current"] else None,
                previous=Applied(**document["previous"]) if document["previous"] else None,
                runs=tuple(RunEntry(**{_KEYS[key]: value for key, value in run.items()}) for run in document["runs"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a record of sohistio: {error}") from error


_NAMES = {
    "id": "id",
    "mode": "mode",
    "environment": "environment",
    "environment_digest": "environmentDigest",
    "plan_digest": "planDigest",
    "from_version": "fromVersion",
    "to_version": "toVersion",
    "who": "who",
    "host": "host",
    "started": "started",
    "ended": "ended",
    "outcome": "outcome",
    "last_step": "lastStep",
    "backup": "backup",
}
_KEYS = {json: name for name, json in _NAMES.items()}


def run_document(run: RunEntry) -> dict[str, str]:
    """One run as JSON."""
    return {_NAMES[name]: value for name, value in asdict(run).items()}
