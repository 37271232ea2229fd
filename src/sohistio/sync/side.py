"""One side of a comparison, as the API server gives it. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sohistio.model.state import ObjectRef

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two clusters: its environment's name, its objects, its namespaces (`ending` are those that are being
    deleted), and the kinds that it serves as `Kind.group`, each with all its versions.
    """

    name: str
    objects: Mapping[ObjectRef, Object]
    namespaces: frozenset[str]
    kinds: Mapping[str, frozenset[str]]
    ending: frozenset[str] = frozenset()
