"""Which environment gets its version and settings from which, as `promotesFrom` and `standbyOf` say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Content = Mapping[str, Any]
"""The merged content of an environment.yaml, which need not be valid."""


def source_of(content: Content) -> str | None:
    """The environment that one gets its version from: a standby follows the environment that it stands by for."""
    for key in ("promotesFrom", "standbyOf"):
        if isinstance(name := content.get(key), str):
            return name
    return None


def chain_to(name: str, content_of: Callable[[str], Content]) -> tuple[str, ...]:
    """The environments that lead to `name`, the first one first. A cycle begins with the name that is in it twice."""
    chain = [name]
    while (source := source_of(content_of(chain[0]))) is not None:
        is_cycle = source in chain
        chain.insert(0, source)
        if is_cycle:
            break
    return tuple(chain)


def chain_problem(name: str, content_of: Callable[[str], Content]) -> str:
    """What is wrong with an environment's `promotesFrom`; empty where nothing is."""
    content = content_of(name)
    if content.get("promotesFrom") is None:
        return ""
    if content.get("standbyOf") is not None:
        return "expected no promotesFrom beside standbyOf: a standby follows the environment that it stands by for"
    chain = chain_to(name, content_of)
    return f"expected no cycle, got {words_of(chain)}" if chain[0] == name and len(chain) > 1 else ""


def words_of(chain: tuple[str, ...]) -> str:
    """A chain for people: `dev → int → qa`."""
    return " → ".join(chain)
