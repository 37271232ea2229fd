"""Steps that take over a mesh which others put there. Frozen data, as in steps.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sohistio.model.state import ObjectRef
from sohistio.plan.risk import Risk


@dataclass(frozen=True, slots=True)
class StopOperator:
    """Scale Istio's in-cluster operator to 0 and release its IstioOperators' finalizers; the mesh is not touched."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    controllers: tuple[ObjectRef, ...]
    operators: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class MoveFieldManagers:
    """Give the fields that old managers own to the one that istioctl installs with, so that an apply owns them."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    objects: tuple[ObjectRef, ...]
    managers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordAdoption:
    """Record that sohistio manages the mesh from now on, though it differs from the environment's manifest."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
