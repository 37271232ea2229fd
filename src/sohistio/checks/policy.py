"""Verification of the mesh's policy: that the cluster has it as the environment declares it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.model.words import counted, first_names
from sohistio.plan.changes import Action
from sohistio.policy.compare import Comparison
from sohistio.policy.hand_made import HandMade

NAME = "policy-in-place"
_MOST_NAMED = 6
_WORDS = {Action.CREATED: "missing", Action.CHANGED: "different", Action.REMOVED: "no longer declared"}


@dataclass(frozen=True, slots=True)
class PolicyEvidence:
    """How the policy's objects compare, and what people made by hand for the same purpose."""

    comparison: Comparison = field(default_factory=Comparison)
    hand_made: tuple[HandMade, ...] = ()


def policy_in_place(evidence: PolicyEvidence) -> Iterator[CheckResult]:
    """One result for each way in which it is not in place; nothing where no policy is declared and none is there."""
    comparison = evidence.comparison
    for action, words in _WORDS.items():
        if refs := [str(change.ref) for change in comparison.changes if change.action is action]:
            message = f"{words}: {first_names(refs, _MOST_NAMED)}"
            yield failed(NAME, message, "Run `sohistio install`.")
    for item in evidence.hand_made:
        hint = "Delete it where it was made, or take the part out of the environment's policy."
        result = failed if item.undoes else warned
        yield result(NAME, f"made by hand: {item}", hint)
    if comparison.compared and not comparison.changes:
        yield passed(NAME, f"{counted(comparison.compared, 'object')} as the environment declares")
