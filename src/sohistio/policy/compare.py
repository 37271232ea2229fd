"""How a policy's objects compare with those of the cluster. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sohistio.model.policy import POLICY_LABEL, policy_label
from sohistio.model.state import ObjectRef
from sohistio.plan.changes import Action, FieldChange, ObjectChange, ref_of
from sohistio.plan.drift.fields import field_change, value_differences
from sohistio.plan.drift.managers import writers_of
from sohistio.plan.ownership import POLICY_MANAGER
from sohistio.plan.policy_steps import is_policys
from sohistio.policy.objects import DRY_RUN, ROOT, SUPPRESS, Object
from sohistio.policy.render import Rendered
from sohistio.policy.transition import is_guard, opened_hosts, still_closed

COMPONENT = "policy"
"""What these changes are shown under."""
# Annotations that policy decides about; others are other people's.
_ANNOTATIONS = (DRY_RUN, SUPPRESS)


@dataclass(frozen=True, slots=True)
class Surplus:
    """An object that is no longer declared, as it is."""

    ref: ObjectRef
    live: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """A guard that opens `hosts`: as it is to be once nothing routes to them."""

    obj: Object
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`ways_out` and `others` are the objects to apply, in order; `opening` are those that open hosts, as they are to
    be in the end: among `others` they keep these hosts closed. `surplus` is what is no longer declared, in the order
    in which it is deleted. `foreign` have the name of one that is declared and are not managed by sohistio; `unowned`
    have the label of another environment, or without the field manager: they are left alone. `waiting` are namespaces
    that do not exist: what is declared for them is applied once they do.
    """

    ways_out: tuple[Object, ...] = ()
    others: tuple[Object, ...] = ()
    surplus: tuple[Surplus, ...] = ()
    changes: tuple[ObjectChange, ...] = ()
    foreign: tuple[ObjectRef, ...] = ()
    unowned: tuple[ObjectRef, ...] = ()
    waiting: tuple[str, ...] = ()
    compared: int = 0
    opening: tuple[Opening, ...] = ()


def compared(
    wanted: Rendered, live: Mapping[ObjectRef, Mapping[str, Any]], environment: str, namespaces: Collection[str]
) -> Comparison:
    """What of the wanted objects is missing or different, and what of the live ones is too much.

    `namespaces` are those that exist; istio-system comes with the mesh.
    """
    waiting = sorted({obj["metadata"]["namespace"] for obj in wanted.objects} - {*namespaces, ROOT})
    refs = {ref_of(obj) for obj in wanted.objects}
    wanted = wanted.without(waiting)
    foreign = tuple(ref for obj in wanted.objects if _is_foreign(live.get(ref := ref_of(obj))))
    changes = {change.ref: change for obj in wanted.objects if (change := _change(obj, live.get(ref_of(obj))))}
    labelled = [ref for ref, obj in live.items() if ref not in refs and policy_label(obj) is not None]
    surplus = sorted((ref for ref in labelled if is_policys(live[ref], environment)), key=_deletion_order)
    removed = [ObjectChange(ref, Action.REMOVED, component=COMPONENT) for ref in surplus]

    def to_apply(objects: tuple[Object, ...]) -> tuple[Object, ...]:
        return tuple(obj for obj in objects if ref_of(obj) in changes)

    others = to_apply(wanted.others)
    kept = {ref_of(obj): still_closed(obj, live[ref_of(obj)]) for obj in others if _may_open(obj, live)}
    opening = tuple(
        Opening(obj, opened_hosts(obj, live[ref_of(obj)])) for obj in others if kept.get(ref_of(obj)) is not None
    )
    return Comparison(
        to_apply(wanted.ways_out),
        tuple(kept.get(ref_of(obj)) or obj for obj in others),
        tuple(Surplus(ref, live[ref]) for ref in surplus),
        tuple(sorted((*changes.values(), *removed), key=lambda change: change.ref)),
        foreign,
        tuple(sorted(ref for ref in labelled if ref not in surplus)),
        tuple(waiting),
        len(wanted.objects),
        opening,
    )


def _may_open(obj: Object, live: Mapping[ObjectRef, Mapping[str, Any]]) -> bool:
    ref = ref_of(obj)
    return ref in live and is_guard(ref.kind, ref.namespace, ref.name)


def _is_foreign(live: Mapping[str, Any] | None) -> bool:
    return live is not None and policy_label(live) is None


def _change(wanted: Object, live: Mapping[str, Any] | None) -> ObjectChange | None:
    if live is None:
        return ObjectChange(ref_of(wanted), Action.CREATED, component=COMPONENT)
    fields = tuple(_changed_fields(wanted, live))
    return ObjectChange(ref_of(wanted), Action.CHANGED, fields, COMPONENT) if fields else None


def _changed_fields(wanted: Object, live: Mapping[str, Any]) -> list[FieldChange]:
    entries = [entry for entry in live["metadata"].get("managedFields") or () if entry.get("manager") != POLICY_MANAGER]
    return [
        field_change(live, path, (before, after), ", ".join(sorted(set(writers_of(entries, path)))))
        for path, before, after in value_differences(_declared(live), _declared(wanted))
    ]


def _declared(obj: Mapping[str, Any]) -> dict[str, Any]:
    """What policy decides of an object; other labels are other people's, too."""
    metadata = obj["metadata"]
    labels = {} if (label := policy_label(obj)) is None else {POLICY_LABEL: label}
    annotations = {key: value for key, value in (metadata.get("annotations") or {}).items() if key in _ANNOTATIONS}
    return {"metadata": {"labels": labels, "annotations": annotations}, "spec": obj.get("spec") or {}}


def _deletion_order(ref: ObjectRef) -> tuple[int, ObjectRef]:
    """What opens a host goes before what guards it, and a way before the place it leads to."""
    order = ("VirtualService", "Gateway", "DestinationRule", "ServiceEntry")
    return order.index(ref.kind) if ref.kind in order else len(order), ref
