"""The step that plugs in a certificate authority. Frozen data, as in steps.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sohistio.model.state import ObjectRef
from sohistio.plan.risk import Risk


@dataclass(frozen=True, slots=True)
class WriteAuthority:
    """Create the Secret that istiod signs with, where there is none. The key is no part of a plan: whoever carries it
    out holds it. `certificate` and `roots` are the SHA-256 of what is approved, in hex.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    object: ObjectRef
    certificate: str
    roots: tuple[str, ...]
