"""Steps of a sync. Frozen data, as in steps.py."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sohistio.model.state import ObjectRef
from sohistio.plan.risk import DIGESTED, Risk


@dataclass(frozen=True, slots=True)
class SyncObjects:
    """Apply objects of the other environment by server-side apply, without force: `documents` are JSON, one each."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    documents: tuple[str, ...] = field(metadata=DIGESTED)

    @property
    def parsed(self) -> list[dict[str, Any]]:
        """The objects."""
        return [json.loads(document) for document in self.documents]


@dataclass(frozen=True, slots=True)
class PruneSynced:
    """Delete what sync made once and the other environment no longer has; `paths` are their REST paths."""

    risk: ClassVar[Risk] = Risk.DESTROY
    id: str
    summary: str
    objects: tuple[ObjectRef, ...]
    paths: tuple[str, ...]
