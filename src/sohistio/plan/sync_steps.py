"""Steps of a sync: configuration of another cluster applied, and what sync itself had made there taken away again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sohistio.model.state import ObjectRef
from sohistio.model.sync import SYNCED_FROM
from sohistio.plan.backup_steps import ObjectsStep
from sohistio.plan.owned_steps import is_owned
from sohistio.plan.ownership import SYNC_MANAGER
from sohistio.plan.risk import Risk


@dataclass(frozen=True, slots=True)
class SyncObjects(ObjectsStep):
    """Create or change objects as environment `source` has them, in order.

    By server-side apply without force: what another field manager set is never overwritten.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    source: str


@dataclass(frozen=True, slots=True)
class PruneSynced:
    """Delete what sync made from environment `source` and that no longer has; `paths` are the objects' REST paths."""

    risk: ClassVar[Risk] = Risk.DESTROY
    id: str
    summary: str
    source: str
    objects: tuple[ObjectRef, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordSync:
    """Record how many differences a sync leaves, which are not its to change: `status` shows it.

    The record is written by every run: the step by itself changes nothing.
    """

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    left: int


def is_synced(live: Mapping[str, Any], source: str) -> bool:
    """Whether sync created it from this source."""
    return is_owned(live, SYNCED_FROM, source, SYNC_MANAGER)
