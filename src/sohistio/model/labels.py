"""Labels of raw objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def label_of(obj: Mapping[str, Any], name: str) -> str | None:
    """What an object's label says; None without it. A copy of the object may have the label, too."""
    found: str | None = (obj["metadata"].get("labels") or {}).get(name)
    return found
