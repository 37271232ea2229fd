"""Adapter: deletes what sohistio made (by sync, of a policy), and says what stays of it."""

from __future__ import annotations

from collections.abc import Callable

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.apply import of_object
from sohistio.adapters.kubernetes.custom_resources import written
from sohistio.adapters.kubernetes.ending import ending_of, is_ending
from sohistio.errors import FailedError
from sohistio.model.ending import described
from sohistio.model.state import ObjectRef
from sohistio.plan.sync_steps import is_synced

# istiod writes the status of a Gateway each time when one of its routes is deleted.
_TRIES = 5
_AGAIN = "Run the same command again for a new plan."


def prune_synced(api: KubeApi, ref: ObjectRef, path: str, source: str) -> bool:
    """Delete an object that sync made from this source, as `prune_owned` does."""
    return prune_owned(api, ref, path, "sync", lambda live: is_synced(live, source))


def prune_owned(api: KubeApi, ref: ObjectRef, path: str, whose: str, is_own: Callable[[Object], bool]) -> bool:
    """Delete an object that `whose` (sync, say) made; one that is gone is no error. Returns whether it is there still,
    as finalizers hold it.

    What is deleted is what was read: its uid and version are the deletion's conditions. Where that is no longer the
    newest version, it is read again, and deleted if nothing but its status changed. Raises FailedError where it is no
    longer its own, or the server refuses; KubeError where nobody answers.
    """
    first: Object | None = None
    for attempt in range(_TRIES):
        live = api.get(path)
        if live is None:
            return False
        if not is_own(live):
            raise FailedError(f"{ref} is no longer {whose}'s own: it is not deleted", todo=_AGAIN)
        first = first or live
        if _content(live) != _content(first):
            raise FailedError(f"{ref} was changed meanwhile: it is not deleted", todo=_AGAIN)
        try:
            answer = api.request("DELETE", path, body=_deletion_of(live))
        except KubeError as error:
            if error.status == 404:
                return False
            if error.status != 409 or attempt == _TRIES - 1:
                raise of_object(error, f"{ref} could not be deleted") from error
        else:
            return "deletionTimestamp" in (answer.get("metadata") or {})
    raise AssertionError("unreachable")  # pragma: no cover


def why_kept(api: KubeApi, ref: ObjectRef, path: str) -> str:
    """`VirtualService shop/web (held by example.com/x)`; empty where it is gone. Raises KubeError."""
    live = api.get(path)
    return described(ending_of(live, ref)) if live is not None and is_ending(live) else ""


def _content(live: Object) -> list[object]:
    return [live["metadata"]["uid"], *written(live)]


def _deletion_of(live: Object) -> Object:
    metadata = live["metadata"]
    conditions = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
    return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": conditions}
