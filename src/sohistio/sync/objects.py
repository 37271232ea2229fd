"""Compares the configuration objects of two clusters: what the standby lacks, has otherwise, or has too much. Pure.

Left out on both sides: what a controller made (`ownerReferences`, WorkloadEntries that registered themselves), what is
being deleted, what the environment excludes, and in metadata all but labels and annotations that people write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from sohistio.sync.order import position
from sohistio.sync.places import missing_places, waiting

Object = dict[str, Any]

# Marks of tools by which they find, and prune, what is theirs: in the standby it would not be. The second is istiod's.
# Argo CD up to version 2 goes by the label app.kubernetes.io/instance.
_TOOLS_OWN = (
    "kubectl.kubernetes.io/",
    "gateway.istio.io/controller-version",
    "meta.helm.sh/",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/instance",
    "applyset.kubernetes.io/",
    SYNCED_FROM,
)
_AUTO_REGISTERED = "istio.io/autoRegistrationGroup"
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two clusters: its environment's name, its objects, its namespaces (without those that are being
    deleted), and the kinds that it serves as `Kind.group`.
    """

    name: str
    objects: Mapping[ObjectRef, Object]
    namespaces: frozenset[str]
    kinds: frozenset[str]


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
    there = {ref: obj for ref, obj in source.objects.items() if not (_is_left_out(obj) or rules.excludes(ref))}
    named = ((ref, kind_of(obj)) for ref, obj in there.items())
    missing = dict(waiting(named, target.namespaces, target.kinds))
    wanted: list[Named] = []
    changes: list[ObjectChange] = []
    reported = list(missing_places(missing, source.name, target.name))
    for ref, obj in there.items():
        if ref in missing:
            continue
        live = target.objects.get(ref)
        document = desired(obj, rules)
        if live is None:
            wanted.append(Named(ref, _marked(document, source.name)))
            changes.append(ObjectChange(ref, Action.CREATED, component=_component(ref)))
        elif _is_left_out(live):
            reported.append(_held(ref, live, target.name))
        elif fields := changed_fields(live, document):
            reported += conflicts(ref, live, document, target.name)
            wanted.append(Named(ref, _marked(document, source.name) if is_synced(live, source.name) else document))
            changes.append(ObjectChange(ref, Action.CHANGED, fields, _component(ref)))
    too_much = [ref for ref in target.objects if ref not in there and not rules.excludes(ref)]
    surplus, others = _too_much(too_much, source, target)
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
    metadata = name | {key: value for key in ("labels", "annotations") if (value := _peoples(obj, key))}
    document: Object = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}
    return document | ({"spec": rules.substituted(obj["spec"])} if "spec" in obj else {})


def kind_of(obj: Object) -> str:
    """`VirtualService.networking.istio.io`: the kind without the version."""
    return f"{obj['kind']}.{str(obj['apiVersion']).partition('/')[0]}"


def changed_fields(live: Object, document: Object) -> tuple[FieldChange, ...]:
    """The fields in which the live object is not as the document, each with who else set it."""
    return tuple(
        field_change(live, path, (before, after), first_names(writers, _MOST_NAMED))
        for path, before, after, writers in _contested(live, document)
    )


def conflicts(ref: ObjectRef, live: Object, document: Object, target: str) -> Iterator[Difference]:
    """The fields that another field manager set in the target: sync overwrites none of them."""
    held = [field for field in changed_fields(live, document) if field.manager]
    if held:
        fields = first_names([f"{field.path} (set by {field.manager})" for field in held], _MOST_NAMED)
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
    metadata = {key: value for key in ("labels", "annotations") if (value := _peoples(obj, key))}
    return ({"metadata": metadata} if metadata else {}) | ({"spec": obj["spec"]} if "spec" in obj else {})


def _peoples(obj: Object, key: str) -> dict[str, str]:
    """Labels or annotations without the marks of tools."""
    found: Mapping[str, str] = obj["metadata"].get(key) or {}
    return {name: value for name, value in found.items() if not name.startswith(_TOOLS_OWN)}


def _is_left_out(obj: Object) -> bool:
    metadata = obj["metadata"]
    return bool(
        metadata.get("ownerReferences")
        or "deletionTimestamp" in metadata
        or _AUTO_REGISTERED in (metadata.get("annotations") or {})
    )


def _marked(document: Object, source: str) -> Object:
    metadata = document["metadata"]
    return document | {"metadata": metadata | {"labels": metadata.get("labels", {}) | {SYNCED_FROM: source}}}


def _component(ref: ObjectRef) -> str:
    return ref.namespace or "cluster-wide"


def _in_order(item: Named) -> tuple[int, ObjectRef]:
    return position(item.ref.kind), item.ref


def _too_much(refs: list[ObjectRef], source: Side, target: Side) -> tuple[list[Named], list[Difference]]:
    """What sync made and nobody changed since is pruned; all else that only the target has is reported."""
    surplus: list[Named] = []
    reported: list[Difference] = []
    for ref in refs:
        live = target.objects[ref]
        if _is_left_out(live):
            continue
        if not is_synced(live, source.name):
            what = f"{ref} is only in {target.name}, and sync did not make it"
            todo = f"Delete it there, or take it over into {source.name}; if it is meant to be there alone, exclude it."
            reported.append(Difference(Subject.OBJECT, str(ref), what, todo, counts=False))
        elif (kind := kind_of(live)) not in source.kinds:
            what = f"{source.name} does not know the kind {kind} any more: {ref} of {target.name} is left alone"
            todo = f"See what became of the CRD in {source.name}; if the kind is to go, delete the object yourself."
            reported.append(Difference(Subject.OBJECT, str(ref), what, todo))
        elif writers := _other_writers(live):
            names = first_names(writers, _MOST_NAMED)
            what = f"{ref} is no longer in {source.name}, and {names} changed it in {target.name}"
            todo = f"Delete it in {target.name} if nobody needs it; or exclude it (sync.exclude)."
            reported.append(Difference(Subject.CONFLICT, str(ref), what, todo))
        else:
            surplus.append(Named(ref, live))
    return surplus, reported


def _other_writers(live: Object) -> list[str]:
    """Who else set fields that are compared; istiod, say, writes a mark of its own to the Gateway API's Gateways."""
    entries = live["metadata"].get("managedFields") or ()
    names = {str(entry.get("manager", "")) for entry in entries if _is_peoples(entry)}
    return sorted(names - {SYNC_MANAGER})


def _is_peoples(entry: Mapping[str, Any]) -> bool:
    fields = entry.get("fieldsV1") or {}
    metadata = fields.get("f:metadata") or {}
    marks = (name.removeprefix("f:") for key in ("f:labels", "f:annotations") for name in metadata.get(key) or ())
    return "f:spec" in fields or any(name != "." and not name.startswith(_TOOLS_OWN) for name in marks)


def _held(ref: ObjectRef, live: Object, target: str) -> Difference:
    """Of an object that a controller made, or that is being deleted, where the source has one of the name."""
    metadata = live["metadata"]
    owners = [f"{owner['kind']} {owner['name']}" for owner in metadata.get("ownerReferences") or ()]
    state = (
        "is being deleted" if "deletionTimestamp" in metadata else f"belongs to {', '.join(owners) or 'a controller'}"
    )
    todo = f"See to it that it goes in {target}, then sync again; or exclude it (sync.exclude)."
    return Difference(Subject.CONFLICT, str(ref), f"{ref} {state} in {target}: sync cannot change it", todo)
