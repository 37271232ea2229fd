"""Builders and readers for the tables of preflight's checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sohistio.checks.preflight.check import Good, Verdict
from sohistio.model.fault import Fault


def faults(verdicts: Iterable[Verdict]) -> list[str]:
    """The messages of what does not hold."""
    return [verdict.message for verdict in verdicts if isinstance(verdict, Fault)]


def goods(verdicts: Iterable[Verdict]) -> list[str]:
    """The messages of what holds."""
    return [verdict.message for verdict in verdicts if isinstance(verdict, Good)]


def node(
    name: str,
    *,
    cpu: str = "4",
    memory: str = "16Gi",
    pods: str = "110",
    labels: Mapping[str, str] | None = None,
    ready: bool = True,
    **spec: Any,
) -> dict[str, Any]:
    """A node as the API server tells of it."""
    return {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory, "pods": pods},
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.4"}],
        },
    }


def pod(
    namespace: str,
    name: str,
    *,
    place: str = "a",
    cpu: str = "100m",
    phase: str = "Running",
    labels: Mapping[str, str] | None = None,
    images: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A pod as the API server tells of it; `images` by container's name."""
    containers: list[dict[str, Any]] = [
        {"name": key, "image": image} for key, image in (images or {"app": "example/app:1"}).items()
    ]
    containers[0] = containers[0] | {"resources": {"requests": {"cpu": cpu}}}
    return {
        "metadata": {"namespace": namespace, "name": name, "labels": dict(labels or {})},
        "spec": {"nodeName": place, "containers": containers},
        "status": {"phase": phase},
    }
