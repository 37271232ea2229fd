"""A check of the mesh's policy: what people made by hand for the same purpose."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.fault import Fault, Severity
from sohistio.model.state import ObjectRef

NAME = "policy-hand-made"
_TODO = "Delete it where it was made, or take the part out of the environment's policy."


def policy_hand_made(context: Context) -> Iterator[Verdict]:
    """No object of somebody's does the same as one of the policy, or undoes it."""
    facts = context.planned.policy
    if not facts.declared.wanted.objects:
        yield NotAsked("the environment declares no policy")
        return
    if not facts.hand_made:
        yield Good("nothing was made by hand for the same purpose")
    by_ref: dict[tuple[ObjectRef, bool], list[str]] = {}
    for item in facts.hand_made:
        by_ref.setdefault((item.ref, item.undoes), []).append(item.effect)
    for (ref, undoes), effects in by_ref.items():
        yield Fault(f"{ref} {'; '.join(effects)}", _TODO, Severity.ERROR if undoes else Severity.WARNING)
