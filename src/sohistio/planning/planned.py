"""A plan with what it was made from, and how to make it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sohistio.errors import RefusedError
from sohistio.model.desired import DesiredMesh
from sohistio.model.mode import Mode
from sohistio.model.pull_secrets import PullCredential
from sohistio.model.record import Record
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.modes.skew import SkewProblem
from sohistio.plan.plan import Plan
from sohistio.planning.session import Session


@dataclass(frozen=True, slots=True)
class Planned:
    """`meshes` are the rendered manifests by version, empty where the mode is unknown; `todo` and `details` go with a
    refusal.

    `manifest` has the objects of the target's manifest, empty where none is applied; `skew` are all version problems,
    those that were skipped too. `unsettled` says what a look can do without and a run cannot: the run is refused with
    it before it begins. `pull_credential` is what pull Secrets are written with; no plan holds it.

    `again` looks and plans anew: what was approved must still be true once the lock is held.
    """

    session: Session
    plan: Plan
    state: ClusterState
    again: Callable[[], Planned]
    meshes: Mapping[Version, DesiredMesh] = field(default_factory=dict)
    record: Record | None = None
    todo: str = ""
    details: tuple[str, ...] = ()
    unsettled: RefusedError | None = None
    pull_credential: PullCredential | None = None
    manifest: Sequence[dict[str, Any]] = ()
    skew: tuple[SkewProblem, ...] = ()

    @property
    def refusal(self) -> RefusedError:
        """The error of a plan that must not be carried out."""
        details = self.details or (self.plan.reasons if self.plan.mode is Mode.UNKNOWN else ())
        return RefusedError(self.plan.refusal, details=details, todo=self.todo or "Nothing was changed.")
