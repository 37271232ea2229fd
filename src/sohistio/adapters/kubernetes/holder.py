"""Who holds the lock, as the Lease has it: for people, and for a run on the same machine the process itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from sohistio.adapters.kubernetes.errors import Object
from sohistio.system.machine import ProcessFacts

# {"holder": identity, "boot": …, "pidNamespace": …, "pid": …, "started": …}
_PROCESS = "sohistio/process"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock: `identity` is who@host and the run's id; times are those of the holder's clock.

    `process` is the run's own, where it could tell.
    """

    identity: str
    since: datetime
    renewed: datetime
    process: ProcessFacts | None = None

    def line(self, now: datetime) -> str:
        """For people."""
        ago = max((now - self.renewed).total_seconds(), 0.0)
        return f"{self.identity}, since {self.since:%Y-%m-%d %H:%M:%S} UTC, last sign of life {ago:.0f} s ago"


@dataclass(slots=True)
class Watched:
    """What one command has watched of a Lease, so that it watches no holder twice: the `spec` that has not changed
    `since` (of the lock's clock), and the lines about it that were printed.
    """

    spec: Object | None = None
    since: float = 0.0
    lines: set[str] = field(default_factory=set)

    def unchanged_for(self, spec: Object, now: float) -> float:
        """The seconds; a Lease that changed in the meantime is watched anew: somebody has written it."""
        if spec != self.spec:
            self.spec, self.since, self.lines = spec, now, set()
        return now - self.since


def holder_in(lease: Object | None) -> Holder | None:
    """The holder that a Lease names; None where it is free."""
    spec = (lease or {}).get("spec") or {}
    identity, renew_time = spec.get("holderIdentity"), spec.get("renewTime")
    if lease is None or not identity or not renew_time:
        return None
    since = datetime.fromisoformat(spec.get("acquireTime") or renew_time)
    annotation = (lease["metadata"].get("annotations") or {}).get(_PROCESS, "")
    return Holder(identity, since, datetime.fromisoformat(renew_time), _process_in(annotation, identity))


def taken(lease: Object, spec: Object, process: ProcessFacts | None) -> Object:
    """The Lease with a new holder's spec, and its process in place of the last one's."""
    metadata = lease["metadata"]
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key != _PROCESS}
    if process is not None:
        annotations[_PROCESS] = json.dumps({"holder": spec["holderIdentity"], **_document(process)})
    return lease | {"metadata": metadata | {"annotations": annotations}, "spec": spec}


def has_certainly_ended(holder: Holder, has_ended: Callable[[ProcessFacts], bool]) -> bool:
    """Whether the holder was a process of this very machine, and is gone. `has_ended` knows this machine's."""
    return holder.process is not None and has_ended(holder.process)


_NAMES = {"boot": "boot", "pid_namespace": "pidNamespace", "pid": "pid", "started": "started"}


def _document(process: ProcessFacts) -> Object:
    return {_NAMES[name]: value for name, value in asdict(process).items()}


def _process_in(annotation: str, identity: str) -> ProcessFacts | None:
    """The process, where the annotation is whole and this holder's own: another program may have taken the Lease."""
    try:
        found = json.loads(annotation)
        if found["holder"] != identity:
            return None
        values = {name: found[key] for name, key in _NAMES.items()}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    process = ProcessFacts(**values)
    texts, numbers = (process.boot, process.pid_namespace), (process.pid, process.started)
    whole = all(isinstance(text, str) and text for text in texts) and all(type(number) is int for number in numbers)
    return process if whole and process.pid > 0 else None


def spec_of(identity: str, since: datetime, now: datetime, seconds: float) -> Object:
    """What a run that holds the lock writes. Times are the holder's clock's."""
    return {
        "holderIdentity": identity,
        "leaseDurationSeconds": int(seconds),
        "acquireTime": _micro(since.astimezone(UTC)),
        "renewTime": _micro(now.astimezone(UTC)),
    }


def _micro(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
