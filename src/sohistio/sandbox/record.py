"""The record of a sandbox: what its supervisor started, written by the supervisor, read by everyone else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sohistio.errors import RefusedError
from sohistio.sandbox.processes import ProcessId

STARTING, READY, FAILED = "starting", "ready", "failed"
RUNNING, CRASHED, STOPPED = "running", "crashed", "stopped"


@dataclass(frozen=True, slots=True)
class PartRecord:
    """A part of a sandbox.

    `pid` and `started` are those of its process, or of the supervisor where it runs in it; 0 where it is stopped.
    """

    name: str
    state: str
    pid: int
    started: int
    address: str = ""
    log: str = ""
    exit_code: int | None = None

    @property
    def process(self) -> ProcessId:
        return ProcessId(self.pid, self.started)

    def as_observed_now(self) -> PartRecord:
        """The part with its state checked: one that should run and does not has crashed."""
        if self.state == RUNNING and not self.process.alive():
            return replace(self, state=CRASHED)
        return self


@dataclass(frozen=True, slots=True)
class SandboxRecord:
    """What the supervisor last wrote. `failure` says why a start failed, `network` which address ranges a sandbox with
    traffic has (traffic/addresses.py; None where it has no traffic), `lag` how late its load balancers are.
    """

    name: str
    phase: str
    nodes: int
    supervisor: PartRecord
    mirror_url: str | None = None
    parts: tuple[PartRecord, ...] = ()
    failure: tuple[str, ...] = ()
    network: int | None = None
    lag: int = 0

    @property
    def mirror_port(self) -> int | None:
        """The port of the release mirror, None where none is known."""
        port = (self.mirror_url or "").rpartition(":")[2]
        return int(port) if port.isdecimal() else None


def is_serving(record: SandboxRecord) -> bool:
    """Whether the sandbox was started all the way and its supervisor still runs."""
    return record.phase == READY and record.supervisor.process.alive()


def read_record(folder: Path) -> SandboxRecord | None:
    """The record in a sandbox's folder, None where there is none; raises RefusedError for one that is damaged."""
    path = folder / "sandbox.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    try:
        return SandboxRecord(
            name=document["name"],
            phase=document["phase"],
            nodes=int(document["nodes"]),
            supervisor=PartRecord(**document["supervisor"]),
            mirror_url=document["mirror_url"],
            parts=tuple(PartRecord(**part) for part in document["parts"]),
            failure=tuple(document["failure"]),
            network=document.get("network"),
            lag=document.get("lag", 0),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, repr(error)) from error


def write_record(folder: Path, record: SandboxRecord) -> None:
    """Replace the record in one step, so that no reader sees half of it."""
    path = folder / "sandbox.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")
    fresh.replace(path)


def _damaged(path: Path, why: str) -> RefusedError:
    return RefusedError(
        f"the record of the sandbox is damaged: {path}",
        details=(why,),
        todo=f"Remove it with: sohistio sandbox down --name {path.parent.name}",
    )
