"""Whether an environment's manifest switches its gateways off, and why that is not as its files say. Plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sohistio.model.desired import DesiredMesh


@dataclass(frozen=True, slots=True)
class StandbyRule:
    """Whether the manifest has 0 replicas for the gateways (`off`); `reasons` where that is not as the files say.

    Not `certain` where only ready pods speak for it, no record and no DNS: they are left alone, and `verify` says so.
    `dns_silent` is why DNS, which has a say in it, could not be asked; empty where it could.

    failover/standby.py decides it.
    """

    off: bool
    reasons: tuple[str, ...] = ()
    certain: bool = True
    dns_silent: str = ""

    @property
    def notices(self) -> tuple[str, ...]:
        """For a plan: why the gateways stay as they are."""
        if not self.reasons:
            return ()
        return (f"the gateways stay {'off' if self.off else 'on'}: {'; '.join(self.reasons)}",)

    def refusal(self, meshes: Iterable[DesiredMesh]) -> str:
        """Why these manifests must not be applied: they switch off what serves. Empty where they do not."""
        if self.off or not self.reasons:
            return ""
        off = dict.fromkeys(item.ref.short for mesh in meshes for item in mesh.gateways if item.is_off)
        if not off:
            return ""
        return f"the manifest switches off {', '.join(off)}, but {'; '.join(self.reasons)}"
