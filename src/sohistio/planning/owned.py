"""What a reader of a plan must know of objects in the way of those that an environment declares."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names

_MOST_NAMED = 6


def somebody_elses(refs: Sequence[ObjectRef], what: str) -> str:
    """Why nothing may be applied: these have the name of `what`, such as a policy object. Empty for none."""
    if not refs:
        return ""
    verb = "has" if len(refs) == 1 else "have"
    return f"{first_names(list(map(str, refs)), _MOST_NAMED)} {verb} the name of {what}, and somebody else made it"


def left_alone(refs: Sequence[ObjectRef]) -> tuple[str, ...]:
    """The notice on objects whose label is another's, or a copy; none without any."""
    names = first_names(list(map(str, refs)), _MOST_NAMED)
    words = "left alone, as its label names another environment or sohistio did not write it"
    return (f"{words}: {names}",) if refs else ()
