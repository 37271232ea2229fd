"""Compares the configuration objects of two clusters: what the standby lacks, has otherwise, or has too much. Pure.

Left out on both sides: what a controller made (`ownerReferences`, WorkloadEntries that registered themselves), what the
environment excludes, and in metadata all but labels and annotations that people write. What is being deleted in the
source is neither applied nor deleted: it may still be in force there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sohistio.model.state import ObjectRef
from sohistio.model.sync import SYNCED_FROM, SyncRules
from sohistio.model.words import first_names
from sohistio.plan.changes import Action, FieldChange, ObjectChange
from sohistio.plan.drift.fields import field_change, value_differences
from sohistio.plan.drift.managers import writers_of
from sohistio.plan.ownership import SYNC_MANAGER
from sohistio.plan.sync_steps import is_synced
from sohistio.sync.differences import Difference, Subject
from sohistio.sync.marks import is_controllers, is_ending, kind_of, peoples_marks, version_of
from sohistio.sync.order import position
from sohistio.sync.places import missing_places, waiting
from sohistio.sync.side import Object, Side
from sohistio.sync.surplus import held, too_much

_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Named:
    """An object as it is to be applied, or as it is and is to be deleted."""

    ref: ObjectRef
    document: Object


@dataclass(frozen=True, slots=True)
class ObjectComparison:
    """`wanted` are the objects to apply, in order; `surplus` what sync made and the source no longer has, in order;
    `changes` what both would do; `reported` what is not sync's to change, conflicts among it. `compared` is how many
    objects of the source were looked at.
    """

    wanted: tuple[Named, ...] = ()
    surplus: tuple[Named, ...] = ()
    changes: tuple[ObjectChange, ...] = ()
    reported: tuple[Difference, ...] = ()
    compared: int = 0


def compare_objects(source: Side, target: Side, rules: SyncRules) -> ObjectComparison:
    """What of the source's objects the target lacks or has otherwise, and what of its own is too much."""
    objects = source.objects.items()
    there = {ref: obj for ref, obj in objects if not (is_controllers(obj) or is_ending(obj) or rules.excludes(ref))}
    named = ((ref, kind_of(obj), version_of(obj)) for ref, obj in there.items())
    missing = dict(waiting(named, target))
    wanted: list[Named] = []
    changes: list[ObjectChange] = []
    reported: list[Difference] = []
    for ref, obj in there.items():
        live = target.objects.get(ref)
        document = desired(obj, rules)
        if ref in missing:
            if live is not None and not changed_fields(live, document):  # there already, in another version
                del missing[ref]
        elif live is None:
            wanted.append(Named(ref, _marked(document, source.name)))
            changes.append(ObjectChange(ref, Action.CREATED, component=_component(ref)))
        elif is_controllers(live) or is_ending(live):
            reported.append(held(ref, live, target.name))
        elif fields := changed_fields(live, document):
            reported += conflicts(ref, live, document, target.name)
            wanted.append(Named(ref, _marked(document, source.name) if is_synced(live, source.name) else document))
            changes.append(ObjectChange(ref, Action.CHANGED, fields, _component(ref)))
    reported = [*missing_places(missing, source.name, target.name), *reported]
    more = [ref for ref in target.objects if ref not in there and not rules.excludes(ref)]
    refs, others = too_much(more, source, target)
    surplus = [Named(ref, target.objects[ref]) for ref in refs]
    in_conflict = {item.name for item in reported if item.subject is Subject.CONFLICT}
    changes += [ObjectChange(item.ref, Action.REMOVED, component=_component(item.ref)) for item in surplus]
    return ObjectComparison(
        tuple(item for item in sorted(wanted, key=_in_order) if str(item.ref) not in in_conflict),
        tuple(sorted(surplus, key=lambda item: (-position(item.ref.kind), item.ref))),
        tuple(sorted((item for item in changes if str(item.ref) not in in_conflict), key=lambda item: item.ref)),
        (*reported, *others),
        len(there),
    )


def desired(obj: Object, rules: SyncRules) -> Object:
    """A source's object as the standby should have it: what people wrote, with the standby's texts."""
    name = {key: obj["metadata"][key] for key in ("name", "namespace") if obj["metadata"].get(key)}
    metadata = name | {key: value for key in ("labels", "annotations") if (value := peoples_marks(obj, key))}
    document: Object = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}
    return document | ({"spec": rules.substituted(obj["spec"])} if "spec" in obj else {})


def changed_fields(live: Object, document: Object) -> tuple[FieldChange, ...]:
    """The fields in which the live object is not as the document, each with who else set it."""
    return tuple(
        field_change(live, path, (before, after), first_names(writers, _MOST_NAMED))
        for path, before, after, writers in _contested(live, document)
    )


def conflicts(ref: ObjectRef, live: Object, document: Object, target: str) -> Iterator[Difference]:
    """The fields that another field manager set in the target: sync overwrites none of them."""
    theirs = [field for field in changed_fields(live, document) if field.manager]
    if theirs:
        fields = first_names([f"{field.path} (set by {field.manager})" for field in theirs], _MOST_NAMED)
        yield Difference(
            Subject.CONFLICT,
            str(ref),
            f"{ref} differs in fields that somebody else set in {target}: {fields}",
            f"Change it where that tool has it, or delete it in {target} and sync again; or exclude it (sync.exclude).",
        )


def _contested(live: Object, document: Object) -> Iterator[tuple[Any, Any, Any, list[str]]]:
    entries = live["metadata"].get("managedFields") or ()
    entries = [entry for entry in entries if not entry.get("subresource") and entry.get("manager") != SYNC_MANAGER]
    for path, before, after in value_differences(_compared(live), _compared(document)):
        yield path, before, after, sorted(set(writers_of(entries, path))) if before is not None else []


def _compared(obj: Object) -> Object:
    """Labels and annotations are there on both sides, if empty: so a difference in one of them is named by its key."""
    metadata = {key: peoples_marks(obj, key) for key in ("labels", "annotations")}
    return {"metadata": metadata} | ({"spec": obj["spec"]} if "spec" in obj else {})


def _marked(document: Object, source: str) -> Object:
    metadata = document["metadata"]
    return document | {"metadata": metadata | {"labels": metadata.get("labels", {}) | {SYNCED_FROM: source}}}


def _component(ref: ObjectRef) -> str:
    return ref.namespace or "cluster-wide"


def _in_order(item: Named) -> tuple[int, ObjectRef]:
    return position(item.ref.kind), item.ref
