"""Makes a standby's configuration as the other environment's, object by object."""

from __future__ import annotations

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.errors import FailedError
from sohistio.plan.changes import ref_of
from sohistio.plan.ownership import SYNC_MANAGER
from sohistio.plan.sync_steps import PruneSynced, SyncObjects
from sohistio.run.tools import Tools
from sohistio.run.wait import Waiting


def sync_objects(tools: Tools, waiting: Waiting, step: SyncObjects) -> None:
    """Apply each; one that is refused does not keep the others back. Raises FailedError that names it."""
    refused = []
    for obj in step.parsed:
        waiting.pause(0)
        try:
            tools.api.apply(tools.api.path_of(obj), obj, SYNC_MANAGER)
        except KubeError as error:
            refused.append(f"{ref_of(obj)}: {', '.join((error.what, *error.details))}")
    if refused:
        raise FailedError(
            f"{len(refused)} of {len(step.documents)} objects could not be applied",
            details=tuple(refused),
            todo="Each is named with what the API server says of it. The others are there; run it again for the rest.",
        )


def prune_synced(tools: Tools, waiting: Waiting, step: PruneSynced) -> None:
    """Delete each; one that is gone already is no error."""
    for path in step.paths:
        waiting.pause(0)
        tools.api.delete(path)
