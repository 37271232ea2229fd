"""What only the standby has: pruned, where sync made it and nobody changed it since, else reported. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.model.ending import held_by
from sohistio.model.state import ObjectRef
from sohistio.model.words import first_names
from sohistio.plan.ownership import SYNC_MANAGER
from sohistio.plan.sync_steps import is_synced
from sohistio.sync.differences import Difference, Subject
from sohistio.sync.marks import is_controllers, is_ending, is_peoples, is_policys, kind_of
from sohistio.sync.side import Object, Side

_MOST_NAMED = 4
_LET_GO = "Let what set the finalizers finish, or take them off it yourself if that does not exist any more"


def too_much(refs: Sequence[ObjectRef], source: Side, target: Side) -> tuple[list[ObjectRef], list[Difference]]:
    """Of objects that the source does not have (any more): those to prune, and what to say of the rest."""
    surplus: list[ObjectRef] = []
    reported: list[Difference] = []
    for ref in refs:
        live = target.objects[ref]
        if is_controllers(live):
            continue
        if (found := _kept(ref, live, source, target)) is not None:
            reported.append(found)
        else:
            surplus.append(ref)
    return surplus, reported


def held(ref: ObjectRef, live: Object, target: str) -> Difference:
    """Of an object that a controller made, or that is being deleted, where the source has one of the name."""
    if is_ending(live):
        what = f"{ref} {_ending(live)} in {target}: sync cannot change it"
        todo = f"{_LET_GO}; once it is gone in {target}, sync again."
    elif is_policys(live):
        what = f"{ref} is of the policy of {target}: sync does not change it"
        todo = f"Delete the source's, or take the part out of the policy of {target}; or exclude it (sync.exclude)."
    else:
        owners = [f"{owner['kind']} {owner['name']}" for owner in live["metadata"].get("ownerReferences") or ()]
        owner = ", ".join(owners) or "a controller"
        what = f"{ref} belongs to {owner} in {target}: sync cannot change it"
        todo = f"Delete what made it in {target} ({owner}), then sync again; or exclude the object (sync.exclude)."
    return Difference(Subject.CONFLICT, str(ref), what, todo)


def _kept(ref: ObjectRef, live: Object, source: Side, target: Side) -> Difference | None:
    """Why it is not pruned; None where it is."""
    synced = is_synced(live, source.name)
    leaving = source.objects.get(ref)
    if leaving is not None and not is_controllers(leaving):
        what = f"{ref} {_ending(leaving)} in {source.name}, where it may still be in force: it stays in {target.name}"
        todo = f"{_LET_GO}; once it is gone in {source.name}, sync again."
        return Difference(Subject.OBJECT, str(ref), what, todo, counts=False)
    if is_ending(live):
        what = f"{ref} is not in {source.name}, and {_ending(live)} in {target.name}, where it may still be in force"
        return Difference(Subject.OBJECT, str(ref), what, f"{_LET_GO}.", counts=synced)
    if not synced:
        what = f"{ref} is only in {target.name}, and sync did not make it"
        todo = f"Delete it there, or take it over into {source.name}; if it is meant to be there alone, exclude it."
        return Difference(Subject.OBJECT, str(ref), what, todo, counts=False)
    if (kind := kind_of(live)) not in source.kinds:
        what = f"{source.name} does not know the kind {kind} any more: {ref} of {target.name} is left alone"
        todo = f"See what became of the CRD in {source.name}; if the kind is to go, delete the object yourself."
        return Difference(Subject.OBJECT, str(ref), what, todo)
    if writers := _other_writers(live):
        names = first_names(writers, _MOST_NAMED)
        what = f"{ref} is no longer in {source.name}, and {names} changed it in {target.name}"
        todo = f"Delete it in {target.name} if nobody needs it; or exclude it (sync.exclude)."
        return Difference(Subject.CONFLICT, str(ref), what, todo)
    return None


def _ending(obj: Object) -> str:
    """`is being deleted since 2026-11-27T01:02:03Z (held by example.com/x)`."""
    metadata = obj["metadata"]
    return f"is being deleted since {metadata['deletionTimestamp']} ({held_by(metadata.get('finalizers') or ())})"


def _other_writers(live: Object) -> list[str]:
    """Who else set fields that are compared; istiod, say, writes a mark of its own to the Gateway API's Gateways."""
    entries = live["metadata"].get("managedFields") or ()
    names = {str(entry.get("manager", "")) for entry in entries if is_peoples(entry)}
    return sorted(names - {SYNC_MANAGER})
