"""The labels that make trouble (docs/sandbox.md), for the pods that have an Envoy. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sohistio.model.durations import seconds_of
from sohistio.sandbox.istiod import TROUBLE_LABEL

SLOW_LABEL = "sandbox.sohistio/slow"
NOT_READY, CRASH = "not-ready", "crash"
SIMULATED = ("image-pull", CRASH)
"""Troubles that kwok shows: no container runs."""
_SLOW_SECONDS = 5


def trouble_of(pod: Mapping[str, Any]) -> str:
    """The trouble that a pod's label asks for, "" for none."""
    return str((pod["metadata"].get("labels") or {}).get(TROUBLE_LABEL, ""))


def slow_seconds(pod: Mapping[str, Any]) -> int:
    """How many seconds later than it could a pod gets ready; a label that cannot be read is as if it were not there."""
    text = str((pod["metadata"].get("labels") or {}).get(SLOW_LABEL, ""))
    try:
        return _SLOW_SECONDS if text == "true" else seconds_of(text) if text else 0
    except ValueError:
        return 0
