"""Our own record of what was installed and by whom: data and its JSON. Istio itself keeps no installed state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import Any

from sohistio.errors import UsageError
from sohistio.model.failover_mark import FailoverMark
from sohistio.model.json_values import count_in, mapping_in, names_in, text_in
from sohistio.model.mode import Mode
from sohistio.model.readiness import ReadinessItem, items_of
from sohistio.model.sidecars_compared import SidecarsCompared
from sohistio.model.versions import Version

RECORD_NAME = "sohistio-record"
POLICY, MONITORING = "policy", "monitoring"
"""What a record knows to be beside the mesh."""
# A ConfigMap holds 1 MiB; an entry is about 500 bytes.
MOST_RUNS = 50
_SCHEMA_VERSION = "1"
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Applied:
    """An IstioOperator (YAML) that was applied, and its version."""

    version: str
    operator: str


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run. Times are ISO 8601 in UTC; `outcome` is `running` until it ends, and `brokeOff` from the next run on
    where it never did; `last_step` is the step begun last, `backup` its folder on `host`, `reason` the person's own."""

    id: str
    mode: Mode
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
    reason: str = ""

    @property
    def ended_well(self) -> bool:
        """Whether it did all that its plan had, verification included."""
        return self.outcome == "done"

    def how_it_ended(self) -> str:
        """For people, of a run that did not end well. One that is `running` may be at work still, or was killed."""
        where = f" at step {self.last_step}" if self.last_step else ""
        words = {
            "running": f"did not finish: it was last seen{where or ' before its first step'}",
            "brokeOff": f"was interrupted{where}",
            "interrupted": f"was interrupted{where}",
            "verificationFailed": "was applied, but its verification failed",
        }
        to = f" to {self.to_version}" if self.to_version else ""  # an uninstall has no target
        run = f"the last run ({self.mode}{to}, begun {self.started})"
        return f"{run} {words.get(self.outcome, f'failed{where}')}"


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept in ConfigMap istio-system/sohistio-record.

    `gateway_namespaces` are those in which gateways were put, also by a run that did not end well: no label says
    whose a gateway is that two nameless IstioOperators could have installed. `failover` says whether this side serves,
    `readiness` what was last found of a standby; `sync_left` how many differences the last sync left that ended well,
    not its to change; `sidecars` until when all sidecars were what the injector gave. `beside` is what runs have put
    beside the mesh (`policy`, `monitoring`), or were about to; None where no run that knows of it has looked yet.
    """

    environment: str
    current: Applied | None = None
    previous: Applied | None = None
    runs: tuple[RunEntry, ...] = ()
    gateway_namespaces: tuple[str, ...] = ()
    failover: FailoverMark | None = None
    sync_left: int = 0
    readiness: tuple[ReadinessItem, ...] = ()
    sidecars: SidecarsCompared | None = None
    beside: frozenset[str] | None = None

    @property
    def last_run(self) -> RunEntry | None:
        """The newest run."""
        return self.runs[-1] if self.runs else None

    @property
    def killed(self) -> tuple[RunEntry, ...]:
        """To whoever holds the lock: the runs that never ended, and are at work no more."""
        return tuple(run for run in self.runs if run.outcome == "running")

    @property
    def last_change(self) -> RunEntry | None:
        """The newest run that was to change the mesh; a restart of workloads, say, tells nothing of it."""
        return next((run for run in reversed(self.runs) if run.mode.is_about_the_mesh), None)

    @property
    def rollback_target(self) -> Applied | None:
        """What a rollback goes back to; None where nothing is known.

        After an uninstall, or a run that was interrupted or failed, what was in place before it; else the one before
        the current. A rollback that was itself interrupted is passed over: the next one goes where it was going.
        """
        for run in reversed(self.runs):
            if run.mode is Mode.UNINSTALL or (run.mode.installs and not run.ended_well):
                return self.current
            if run.ended_well and (run.mode.installs or run.mode in (Mode.ROLLBACK, Mode.NONE)):
                return self.previous
        return None

    def last_of(self, mode: Mode) -> RunEntry | None:
        """The newest run of a mode that ended well."""
        return next((run for run in reversed(self.runs) if run.mode is mode and run.ended_well), None)

    def with_run(self, run: RunEntry) -> Record:
        """Add a run, or bring the one with its id up to date."""
        others = tuple(known for known in self.runs if known.id != run.id)
        return replace(self, runs=(*others, run)[-MOST_RUNS:])

    def with_broken_off(self) -> Record:
        """Whoever holds the lock knows that no other run is at work: the ones that never ended were interrupted."""
        killed = self.killed
        return replace(
            self, runs=tuple(replace(run, outcome="brokeOff") if run in killed else run for run in self.runs)
        )

    def with_applied(self, applied: Applied) -> Record:
        """Note what a finished run applied; another version's manifest becomes the previous one, to roll back to."""
        known = self.current
        previous = known if known is not None and known != applied else self.previous
        return replace(self, current=applied, previous=previous)

    def with_gateways_in(self, namespaces: Iterable[str]) -> Record:
        """Note where a run is about to put gateways, beside where they are or may be."""
        return replace(self, gateway_namespaces=tuple(sorted({*self.gateway_namespaces, *namespaces})))

    def has_none(self, part: str) -> bool:
        """Whether no run can have put this beside the mesh."""
        return self.beside is not None and part not in self.beside

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "schemaVersion": _SCHEMA_VERSION,
            "environment": self.environment,
            "current": asdict(self.current) if self.current else None,
            "previous": asdict(self.previous) if self.previous else None,
            "runs": [_kept(run) for run in self.runs],
            "gatewayNamespaces": list(self.gateway_namespaces),
            "failover": self.failover.document() if self.failover else None,
            "syncLeft": self.sync_left,
            "readiness": [item.document() for item in self.readiness],
            "sidecars": self.sidecars.document() if self.sidecars else None,
            "beside": None if self.beside is None else sorted(self.beside),
        }

    @classmethod
    def of(cls, document: object) -> Record:
        """Read the JSON back; raises ValueError, naming the place, where it is no record: anybody may edit it."""
        record = mapping_in(document, "the record")
        if record.get("schemaVersion") != _SCHEMA_VERSION:
            raise ValueError(f"schemaVersion {record.get('schemaVersion')!r}"[:_LONGEST])
        runs, marked = record.get("runs"), record.get("failover")
        if not isinstance(runs, list):
            raise ValueError("not a record of sohistio: runs is no list")
        return cls(
            environment=text_in(record, "environment", "the record"),
            current=_applied(record, "current"),
            previous=_applied(record, "previous"),
            runs=tuple(_run(run, f"runs[{number}]") for number, run in enumerate(runs)),
            gateway_namespaces=names_in(record, "gatewayNamespaces"),
            failover=None if marked is None else FailoverMark.of(mapping_in(marked, "failover")),
            sync_left=count_in(record, "syncLeft"),
            readiness=items_of(record.get("readiness")),
            sidecars=SidecarsCompared.of(record.get("sidecars")),
            beside=None if record.get("beside") is None else frozenset(names_in(record, "beside")),
        )


def _applied(record: Mapping[str, object], key: str) -> Applied | None:
    if record.get(key) is None:
        return None
    values = mapping_in(record[key], key)
    applied = Applied(text_in(values, "version", key), text_in(values, "operator", key))
    try:
        Version.parse(applied.version)
    except UsageError:
        raise ValueError(f"not a record of sohistio: version of {key} is no version") from None
    return applied


def _run(value: object, place: str) -> RunEntry:
    values = mapping_in(value, place)
    needed = {field.name for field in fields(RunEntry) if field.default is MISSING}
    found: dict[str, Any] = {
        name: text_in(values, key, place) for key, name in _KEYS.items() if key in values or name in needed
    }
    return RunEntry(**(found | {"mode": Mode.of(found["mode"])}))


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
    "reason": "reason",
}
_KEYS = {json: name for name, json in _NAMES.items()}


def _kept(run: RunEntry) -> dict[str, str]:
    """As the record has it. A sohistio that knows no reasons refuses a record with one: who gives none can go back."""
    document = run_document(run)
    return document if run.reason else {key: value for key, value in document.items() if key != "reason"}


def run_document(run: RunEntry) -> dict[str, str]:
    """One run as JSON."""
    return {_NAMES[name]: value for name, value in asdict(run).items()}
