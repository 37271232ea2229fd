"""Exclusions that exclude nothing: what they were meant to protect may then be changed, or deleted. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sohistio.model.state import ObjectRef
from sohistio.model.sync import SyncRules
from sohistio.sync.differences import Difference, Subject


def idle_exclusions(rules: SyncRules, refs: Collection[ObjectRef], names: tuple[str, str]) -> Iterator[Difference]:
    """Each exclusion that matches none of `refs`: the objects of both clusters, and the Secrets that Gateways name.

    Worth knowing only: what it is for may be yet to come. `names` are source's and target's.
    """
    for exclusion in rules.exclusions:
        if not any(exclusion.matches(ref) for ref in refs):
            yield Difference(
                Subject.EXCLUSION,
                str(exclusion),
                f"sync.exclude {{{exclusion}}} matches nothing in {names[0]} or {names[1]}",
                f"Correct it in environments/{names[1]}/environment.yaml, or take it out.",
                counts=False,
            )
