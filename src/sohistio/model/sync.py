"""What a standby is to have as the environment it stands by for has it, with other hosts and addresses. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]

SYNCED_FROM = "sohistio/synced-from"
"""The label on what sync made, with the environment it came from: only that is ever pruned."""


@dataclass(frozen=True, slots=True)
class Substitution:
    """A text of the source's, and what stands for it on the standby."""

    before: str
    after: str
