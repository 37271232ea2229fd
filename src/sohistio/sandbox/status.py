"""What `sohistio sandbox status` tells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sohistio.sandbox import record
from sohistio.sandbox.location import sandbox_context, sandbox_folder
from sohistio.sandbox.part import last_lines
from sohistio.sandbox.record import PartRecord, SandboxRecord, read_record
from sohistio.sandbox.traffic.addresses import Addresses

_SHOWN_LINES = 10


@dataclass(frozen=True, slots=True)
class SandboxStatus:
    """A sandbox as it is now; `record` is None where there is none."""

    name: str
    record: SandboxRecord | None
    parts: tuple[PartRecord, ...]

    @property
    def well(self) -> bool:
        """Whether it is up and no part crashed."""
        return self.phase == record.READY and all(part.state != record.CRASHED for part in self.parts)

    @property
    def phase(self) -> str:
        """`ready`, `starting`, `failed`, `crashed` (its supervisor is gone), `stopped` or `absent`."""
        if self.record is None:
            return "absent"
        if self.record.phase in (record.READY, record.STARTING) and not self.record.supervisor.process.alive():
            return record.CRASHED
        return self.record.phase


def look(name: str) -> SandboxStatus:
    """Read the record and check every process; raises RefusedError for a damaged record."""
    known = read_record(sandbox_folder(name))
    if known is None:
        return SandboxStatus(name, None, ())
    parts = () if known.phase == record.STOPPED else (known.supervisor, *known.parts)
    return SandboxStatus(name, known, tuple(part.as_observed_now() for part in parts))


def log_end(part: PartRecord) -> tuple[str, ...]:
    """The last log lines of a part that crashed; none for others."""
    return last_lines(Path(part.log), _SHOWN_LINES) if part.state == record.CRASHED else ()


def as_document(status: SandboxStatus) -> dict[str, Any]:
    """The JSON form."""
    folder = sandbox_folder(status.name)
    return {
        "name": status.name,
        "phase": status.phase,
        "well": status.well,
        "nodes": status.record.nodes if status.record else None,
        "kubeconfig": str(folder / "kubeconfig") if status.record else None,
        "context": sandbox_context(status.name),
        "mirror": status.record.mirror_url if status.record else None,
        "auditLog": str(folder / "audit.log") if status.record else None,
        "traffic": _traffic(status.record) if status.record else None,
        "failure": list(status.record.failure) if status.record else [],
        "parts": [
            {
                "name": part.name,
                "state": part.state,
                "pid": part.pid or None,
                "address": part.address or None,
                "log": part.log or None,
                "exitCode": part.exit_code,
                "lastLines": list(log_end(part)),
            }
            for part in status.parts
        ],
    }


def _traffic(known: SandboxRecord) -> dict[str, Any] | None:
    if known.network is None:
        return None
    ranges = Addresses(known.network)
    return {
        "number": known.network,
        "region": known.name,
        "podRange": ranges.pod_range,
        "serviceRange": ranges.services,
        "loadBalancerRange": ranges.balancer_range,
        "loadBalancerLag": known.lag,
    }
