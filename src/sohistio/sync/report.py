"""What became of a comparison of a standby with what it stands by for, and how far behind it is. Plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.model.document import SCHEMA_VERSION
from sohistio.model.mode import Mode
from sohistio.model.record import Record, RunEntry, run_document
from sohistio.model.words import counted
from sohistio.plan.changes import Changes
from sohistio.plan.documents import changes_document, ref_document
from sohistio.sync.certificates import CertificatePair
from sohistio.sync.differences import Difference, Subject

_STOPPING = (Subject.CONFLICT, Subject.DENIED)


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a standby is behind: `objects` differ, and `last_sync` was the last run that left none to apply (None
    where none is recorded); `since` is its end, ISO 8601 in UTC, empty without one.
    """

    objects: int
    last_sync: RunEntry | None = None

    @property
    def since(self) -> str:
        """Since when the objects may differ."""
        return self.last_sync.ended if self.last_sync else ""

    @property
    def words(self) -> str:
        """For people: `3 objects differ; last synced 2026-11-27T00:10:00+00:00 by ann`."""
        count = counted(self.objects, "object") if self.objects else "no object"
        differ = "differs" if self.objects < 2 else "differ"
        last = f"last synced {self.since} by {self.last_sync.who}" if self.last_sync else "never synced"
        return f"{count} {differ}; {last}"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        last = run_document(self.last_sync) if self.last_sync else None
        return {"objects": self.objects, "since": self.since or None, "lastSync": last}


def lag(changes: Changes, differences: Sequence[Difference], record: Record | None) -> Lag:
    """How far the standby is behind: objects to apply, and those that sync cannot apply, each counted once.

    `record` is the standby's, None where it has none.
    """
    changed = {str(change.ref) for change in changes.objects}
    held = {item.name for item in differences if item.subject in (Subject.OBJECT, *_STOPPING) and item.counts}
    last = record.last_of(Mode.SYNC) if record else None
    waiting = sum(item.objects for item in differences)
    return Lag(len(changed | held) + waiting, last)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A standby against its source, as observed now. `compared` is the number of the source's objects that were looked
    at; the roots are SHA-256, empty where there is none.
    """

    source: str
    target: str
    servers: tuple[str, str]
    changes: Changes
    differences: tuple[Difference, ...]
    certificates: tuple[CertificatePair, ...]
    roots: tuple[str, str]
    compared: int
    lag: Lag

    @property
    def equal(self) -> bool:
        """Whether nothing differs that counts."""
        return not self.changes and not self.left

    @property
    def left(self) -> int:
        """How many differences count and are not sync's to change, conflicts and denials among them."""
        return sum(item.counts for item in self.differences)

    @property
    def stopping(self) -> tuple[Difference, ...]:
        """What stops a sync before it begins: conflicts, and what the API server would not take."""
        return tuple(item for item in self.differences if item.subject in _STOPPING)

    def document(self, refusal: str, run: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As versioned JSON: with why a sync is refused, if it is, and what was carried out; None with --check."""
        return {
            "schemaVersion": SCHEMA_VERSION,
            "kind": "Sync",
            "from": {"environment": self.source, "cluster": self.servers[0], "trustRoot": self.roots[0] or None},
            "to": {"environment": self.target, "cluster": self.servers[1], "trustRoot": self.roots[1] or None},
            "equal": self.equal,
            "compared": self.compared,
            "changes": changes_document(self.changes),
            "differences": [item.document() for item in self.differences],
            "certificates": [_certificates(pair) for pair in self.certificates],
            "lag": self.lag.document(),
            "refusal": refusal or None,
            "run": run,
        }


def _certificates(pair: CertificatePair) -> dict[str, Any]:
    sides = {
        side: {"sha256": found.fingerprint, "expires": found.expires_on} if found else None
        for side, found in (("from", pair.source), ("to", pair.target))
    }
    return ref_document(pair.secret.ref) | sides | {"compared": not pair.unread}
