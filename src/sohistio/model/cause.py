"""Why a run is made. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """The command that was given, such as `images prepull`, and the person's own reason; empty where there is none."""

    command: str = ""
    reason: str = ""
