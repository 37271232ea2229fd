"""Azure's quota of vCPUs: how many more a region gives of a family of VM sizes. Pure.

Source: learn.microsoft.com, "Azure VM sizes naming conventions", and the names of Microsoft.Compute's usages, such as
standardDSv3Family. What does not follow them is not known, and is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

REGIONAL = "cores"
"""The usage of all families together."""
# Letters, number, features, version; no constrained sizes (E16-8s_v3), whose quota is of the unconstrained one.
_SIZE = re.compile(r"Standard_([A-Z]{1,2})\d+([a-z]*)(?:_(v\d+))?")


@dataclass(frozen=True, slots=True)
class Usage:
    """vCPUs that are used, and the most that may be."""

    used: int
    limit: int

    @property
    def left(self) -> int:
        """How many more there may be."""
        return max(0, self.limit - self.used)


def family_of(size: str) -> str:
    """The usage's name of a VM size, in lower case, as its name says; empty where it follows no convention."""
    found = _SIZE.fullmatch(size)
    return f"standard{found[1]}{found[2]}{found[3] or ''}family".lower() if found else ""


def left_of(usages: Mapping[str, Usage], size: str, spent: Mapping[str, int]) -> int | None:
    """vCPUs that may be added of this size, after the family's quota and the region's; None where either is not known.

    The names of the usages are in lower case; `spent` are those of each family that are spoken for already.
    """
    name = family_of(size)
    family, region = usages.get(name), usages.get(REGIONAL)
    if family is None or region is None:
        return None
    return max(0, min(family.left - spent.get(name, 0), region.left - sum(spent.values())))
