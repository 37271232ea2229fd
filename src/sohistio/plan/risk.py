"""What a step may do to the cluster."""

from __future__ import annotations

from enum import StrEnum


class Risk(StrEnum):
    """Look, change, interrupt traffic, or take things away."""

    READ = "read"
    CHANGE = "change"
    DISRUPT = "disrupt"
    DESTROY = "destroy"


# Of a field that is long: a plan's JSON has its SHA-256 only.
DIGESTED = {"digest": True}
