"""What `istioctl analyze` finds. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One message of `istioctl analyze`; `level` is Error, Warning or Info, `origin` such as `VirtualService a/x`."""

    code: str
    level: str
    origin: str
    message: str
    reference: str = ""
    documentation_url: str = ""

    @property
    def line(self) -> str:
        """In one line."""
        return f"{self.level} {self.code} ({self.origin}): {self.message}"
