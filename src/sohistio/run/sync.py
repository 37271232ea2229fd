"""Makes the standby's configuration what the source's is."""

from __future__ import annotations

from collections.abc import Callable

from sohistio.adapters.kubernetes.prune import prune_synced, why_kept
from sohistio.adapters.kubernetes.sync import apply_synced
from sohistio.errors import VerificationError
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_lines
from sohistio.plan.owned_steps import PruneOwned
from sohistio.plan.sync_steps import PruneSynced, SyncObjects
from sohistio.run.each import each
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting

GONE_SECONDS = 5.0
"""For all that was deleted: a controller that is at work takes its finalizer off within moments."""
_MOST_LISTED = 12

_Item = tuple[ObjectRef, str]


def sync_objects(tools: Tools, waiting: Waiting, step: SyncObjects) -> None:
    """Apply every object, in order. Raises FailedError: of a conflict it names the field and its manager."""
    each(waiting, step.parsed, lambda obj: apply_synced(tools.api, obj), "objects could not be applied")


def prune_objects(tools: Tools, waiting: Waiting, step: PruneSynced, seconds: float = GONE_SECONDS) -> None:
    """Delete every object that is still sync's own, and wait at most `seconds` until they are gone.

    Raises FailedError that names those that could not be deleted, VerificationError those that finalizers hold.
    """
    delete_all(tools, waiting, step, lambda ref, path: prune_synced(tools.api, ref, path, step.source), seconds)


def delete_all(
    tools: Tools,
    waiting: Waiting,
    step: PruneSynced | PruneOwned,
    prune: Callable[[ObjectRef, str], bool],
    seconds: float = GONE_SECONDS,
) -> None:
    """Delete the step's objects one after the other with `prune`, which says whether one is there still, and wait
    at most `seconds` until they are gone. Raises as `prune_objects`.
    """
    items = tuple(zip(step.objects, step.paths, strict=True))
    kept: list[_Item] = []

    def one(item: _Item) -> None:
        if prune(*item):
            kept.append(item)

    each(waiting, items, one, "objects could not be deleted")
    if not kept:
        return
    with waiting.at_most(seconds, "deleted objects are still there") as limit:
        while found := [words for item in kept if (words := why_kept(tools.api, *item))]:
            if limit.passed:
                raise _still_there(found, len(items))
            waiting.pause()


def _still_there(found: list[str], deleted: int) -> VerificationError:
    verb = "is" if len(found) == 1 else "are"
    return VerificationError(
        f"{len(found)} of {deleted} deleted objects {verb} still there, and may be in force",
        details=first_lines(found, _MOST_LISTED),
        todo="Let what set the finalizers finish, or take them off yourself if that does not exist any more. Then run "
        "the same command again.",
    )
