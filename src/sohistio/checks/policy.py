"""Verification of the mesh's policy: that the cluster has it as the environment declares it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sohistio.checks.in_place import in_place, out_of_place
from sohistio.checks.result import CheckResult, failed, warned
from sohistio.policy.compare import Comparison
from sohistio.policy.hand_made import HandMade

NAME = "policy-in-place"


@dataclass(frozen=True, slots=True)
class PolicyEvidence:
    """How the policy's objects compare, and what people made by hand for the same purpose."""

    comparison: Comparison = field(default_factory=Comparison)
    hand_made: tuple[HandMade, ...] = ()


def policy_in_place(evidence: PolicyEvidence) -> Iterator[CheckResult]:
    """One result for each way in which it is not in place; nothing where no policy is declared and none is there."""
    comparison = evidence.comparison
    yield from out_of_place(NAME, comparison.changes)
    for item in evidence.hand_made:
        hint = "Delete it where it was made, or take the part out of the environment's policy."
        result = failed if item.undoes else warned
        yield result(NAME, f"made by hand: {item}", hint)
    yield from in_place(NAME, comparison.changes, comparison.compared)
