"""Steps of the mesh's policy: Istio's objects applied as the environment declares them, and taken away again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sohistio.model.policy import policy_label
from sohistio.model.state import ObjectRef
from sohistio.plan.backup_steps import ObjectsStep
from sohistio.plan.ownership import POLICY_MANAGER
from sohistio.plan.risk import Risk


@dataclass(frozen=True, slots=True)
class ApplyPolicy(ObjectsStep):
    """Create or change policy objects, in order, and own their fields: a hand edit of one is undone.

    `effects` says, as predicates, what is refused from then on, or no longer.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PrunePolicy:
    """Delete policy objects that `environment` no longer declares.

    `paths` are their REST paths, `effects` as of `ApplyPolicy`.
    """

    risk: ClassVar[Risk] = Risk.DESTROY
    id: str
    summary: str
    environment: str
    objects: tuple[ObjectRef, ...]
    paths: tuple[str, ...]
    effects: tuple[str, ...] = ()


def is_policys(live: Mapping[str, Any], environment: str) -> bool:
    """Whether sohistio made it from this environment's policy: by its label, which a copy may have, and its manager."""
    managers = {entry.get("manager") for entry in live["metadata"].get("managedFields") or ()}
    return policy_label(live) == environment and POLICY_MANAGER in managers
