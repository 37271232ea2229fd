"""Steps on images. Frozen data, as in steps.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from sohistio.model.state import ObjectRef
from sohistio.plan.risk import DIGESTED, Risk


@dataclass(frozen=True, slots=True)
class PrepullImages:
    """Have every node pull images: `document` (JSON) is the DaemonSet `object`, which is deleted at the end."""

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    object: ObjectRef
    document: str = field(metadata=DIGESTED)
