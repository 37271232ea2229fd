"""A plan with what it was made from, and how to make it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sohistio.desired import DesiredMesh
from sohistio.plan import Plan
from sohistio.record import Record
from sohistio.session import Session
from sohistio.skew import SkewProblem
from sohistio.state import ClusterState


@dataclass(frozen=True, slots=True)
class Planned:
    """`meshes` are the rendered manifests by version, empty where the mode is unknown; `todo` and `details` go with a
    refusal.

    `manifest` has the objects of the target's manifest, empty where none is applied; `skew` are all version problems,
    those that were skipped too. `again` looks and plans anew: what was approved must still be true under the lock.
    """

    session: Session
    plan: Plan
    state: ClusterState
    again: Callable[[], Planned]
    meshes: Mapping[str, DesiredMesh] = field(default_factory=dict)
    record: Record | None = None
    todo: str = ""
    details: tuple[str, ...] = ()
    manifest: Sequence[dict[str, Any]] = ()
    skew: tuple[SkewProblem, ...] = ()
