"""A plan with what it was made from, and how to make it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sohistio.desired import DesiredMesh
from sohistio.plan import Plan
from sohistio.record import Record
from sohistio.session import Session
from sohistio.state import ClusterState


@dataclass(frozen=True, slots=True)
class Planned:
    """`meshes` are the rendered manifests by version, empty where the mode is unknown; `todo` and `details` go with a
    refusal.

    `again` looks and plans anew: what was approved must still be true once the lock is held.
    """

    session: Session
    plan: Plan
    state: ClusterState
    again: Callable[[], Planned]
    meshes: Mapping[str, DesiredMesh] = field(default_factory=dict)
    record: Record | None = None
    todo: str = ""
    details: tuple[str, ...] = ()
