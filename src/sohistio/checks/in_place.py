"""Whether the objects that an environment declares are there as it declares them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sohistio.checks.result import CheckResult, failed, passed
from sohistio.model.words import counted, first_names
from sohistio.plan.changes import Action, ObjectChange

_MOST_NAMED = 6
_WORDS = {Action.CREATED: "missing", Action.CHANGED: "different", Action.REMOVED: "no longer declared"}


def out_of_place(name: str, changes: Sequence[ObjectChange]) -> Iterator[CheckResult]:
    """One result for each way in which they are not."""
    for action, words in _WORDS.items():
        if refs := [str(change.ref) for change in changes if change.action is action]:
            yield failed(name, f"{words}: {first_names(refs, _MOST_NAMED)}", "Run `sohistio install`.")


def in_place(name: str, changes: Sequence[ObjectChange], compared: int) -> Iterator[CheckResult]:
    """One result where all `compared` objects are; nothing where none is declared."""
    if compared and not changes:
        yield passed(name, f"{counted(compared, 'object')} as the environment declares")
