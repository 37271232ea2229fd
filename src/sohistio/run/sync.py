"""Makes the standby's configuration what the source's is."""

from __future__ import annotations

from sohistio.adapters.kubernetes.sync import apply_synced, prune_synced
from sohistio.plan.sync_steps import PruneSynced, SyncObjects
from sohistio.run.each import each
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting


def sync_objects(tools: Tools, waiting: Waiting, step: SyncObjects) -> None:
    """Apply every object, in order. Raises FailedError: of a conflict it names the field and its manager."""
    each(waiting, step.parsed, lambda obj: apply_synced(tools.api, obj), "objects could not be applied")


def prune_objects(tools: Tools, waiting: Waiting, step: PruneSynced) -> None:
    """Delete every object that is still sync's own. Raises FailedError that names the others."""
    items = tuple(zip(step.objects, step.paths, strict=True))
    each(waiting, items, lambda item: prune_synced(tools.api, *item, step.source), "objects could not be deleted")
