"""Steps on objects that sohistio makes of an environment's files: applied whole, and deleted again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sohistio.model.labels import label_of
from sohistio.model.state import ObjectRef
from sohistio.plan.backup_steps import ObjectsStep
from sohistio.plan.risk import Risk


@dataclass(frozen=True, slots=True)
class ApplyOwned(ObjectsStep):
    """Create or change objects, in order, and own their fields: a hand edit of one is undone.

    `effects` says, as predicates, what a reader must know before approving.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PruneOwned:
    """Delete objects that `environment` no longer declares; `paths` are their REST paths.

    `effects` are as of `ApplyOwned`.
    """

    risk: ClassVar[Risk] = Risk.DESTROY
    id: str
    summary: str
    environment: str
    objects: tuple[ObjectRef, ...]
    paths: tuple[str, ...]
    effects: tuple[str, ...] = ()


def is_owned(live: Mapping[str, Any], label: str, owner: str, manager: str) -> bool:
    """Whether sohistio made it for this owner: by its label, which a copy may have too, and by its field manager."""
    managers = {entry.get("manager") for entry in live["metadata"].get("managedFields") or ()}
    return label_of(live, label) == owner and manager in managers
