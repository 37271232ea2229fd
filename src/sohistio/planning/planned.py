"""A plan with what it was made from, and how to make it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sohistio.errors import RefusedError
from sohistio.model.desired import DesiredMesh
from sohistio.model.fault import Fault
from sohistio.model.mode import Mode
from sohistio.model.pull_secrets import PullCredential
from sohistio.model.record import Record
from sohistio.model.restart_policy import NO_RESTRAINT, Restraint
from sohistio.model.state import ClusterState
from sohistio.model.versions import Version
from sohistio.plan.plan import Plan
from sohistio.planning.authority import AuthorityFacts
from sohistio.planning.monitoring import MonitoringFacts
from sohistio.planning.policy import PolicyFacts
from sohistio.planning.session import Session


@dataclass(frozen=True, slots=True)
class Rendered:
    """What istioctl rendered: the meshes by version, and the objects of the target's manifest, empty where none is
    applied."""

    meshes: Mapping[Version, DesiredMesh] = field(default_factory=dict)
    manifest: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """What goes with a refusal: what to do, and the details."""

    todo: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PullSecretsReady:
    """What pull Secrets are written with, which no plan holds; or why a run is refused that a plan alone can do without
    (`unsettled`)."""

    credential: PullCredential | None = None
    unsettled: RefusedError | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """`skew` are all version faults, those that were skipped too.

    `again` looks and plans anew: what was approved must still be true once the lock is held. `restraint` is what holds
    restarts back. `beside` is what there is or will be beside the mesh (`Record.beside`); None where it was not looked.
    """

    session: Session
    plan: Plan
    state: ClusterState
    again: Callable[[], Planned]
    record: Record | None = None
    rendered: Rendered = field(default_factory=Rendered)
    refused: Refused = field(default_factory=Refused)
    pull_secrets: PullSecretsReady = field(default_factory=PullSecretsReady)
    skew: tuple[Fault, ...] = ()
    policy: PolicyFacts = field(default_factory=PolicyFacts)
    monitoring: MonitoringFacts = field(default_factory=MonitoringFacts)
    authority: AuthorityFacts = field(default_factory=AuthorityFacts)
    restraint: Restraint = NO_RESTRAINT
    beside: frozenset[str] | None = None

    @property
    def unsettled(self) -> RefusedError | None:
        """Why a run is refused though a plan could be made."""
        return self.pull_secrets.unsettled or self.authority.unsettled

    @property
    def refusal(self) -> RefusedError:
        """The error of a plan that must not be carried out."""
        details = self.refused.details or (self.plan.reasons if self.plan.mode is Mode.UNKNOWN else ())
        return RefusedError(self.plan.refusal, details=details, todo=self.refused.todo or "Nothing was changed.")
