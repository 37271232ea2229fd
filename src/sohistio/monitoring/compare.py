"""How the objects of an environment's monitoring compare with those of the cluster. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sohistio.model.monitoring import monitoring_label
from sohistio.model.state import ObjectRef
from sohistio.monitoring.objects import Object
from sohistio.plan.changes import Action, FieldChange, ObjectChange, ref_of
from sohistio.plan.monitoring_steps import deletion_order, is_monitorings

COMPONENT = "monitoring"
"""What these changes are shown under."""
Live = Mapping[ObjectRef, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`to_apply` are the objects to apply, in order; `surplus` what is no longer declared, in the order in which it is
    deleted. `foreign` have the name of one that is declared and are somebody else's; `unowned` have the label of
    another environment, or without the field manager: both are left alone. `secrets` are the random ones to be made.
    """

    to_apply: tuple[Object, ...] = ()
    surplus: tuple[ObjectRef, ...] = ()
    changes: tuple[ObjectChange, ...] = ()
    foreign: tuple[ObjectRef, ...] = ()
    unowned: tuple[ObjectRef, ...] = ()
    secrets: tuple[ObjectRef, ...] = ()
    live: Live = field(default_factory=dict)
    compared: int = 0


def compared(
    wanted: Sequence[Object],
    live: Live,
    differences: Mapping[ObjectRef, tuple[FieldChange, ...]],
    environment: str,
    secrets: Mapping[ObjectRef, bool],
    beside: Collection[ObjectRef] = (),
) -> Comparison:
    """What of the wanted objects is missing or different, and what of the live ones is too much.

    `differences` are the fields that applying one changes; `secrets` are the random ones that are needed, and whether
    each is there. `beside` are objects that other runs write: they are not too much.
    """
    refs = [ref_of(obj) for obj in wanted]
    missing = tuple(ref for ref, is_there in secrets.items() if not is_there)
    changes = {ref: ObjectChange(ref, Action.CREATED, component=COMPONENT) for ref in refs if ref not in live}
    changes |= {
        ref: ObjectChange(ref, Action.CHANGED, fields, COMPONENT) for ref in refs if (fields := differences.get(ref))
    }
    labelled = [
        ref
        for ref, obj in live.items()
        if ref not in refs and ref not in secrets and ref not in beside and monitoring_label(obj) is not None
    ]
    surplus = sorted((ref for ref in labelled if is_monitorings(live[ref], environment)), key=deletion_order)
    shown = [
        *changes.values(),
        *(ObjectChange(ref, Action.CREATED, component=COMPONENT) for ref in missing),
        *(ObjectChange(ref, Action.REMOVED, component=COMPONENT) for ref in surplus),
    ]
    return Comparison(
        tuple(obj for obj, ref in zip(wanted, refs, strict=True) if ref in changes),
        tuple(surplus),
        tuple(sorted(shown, key=lambda change: change.ref)),
        tuple(ref for ref in (*refs, *secrets) if ref in live and monitoring_label(live[ref]) is None),
        tuple(sorted(ref for ref in labelled if ref not in surplus)),
        missing,
        live,
        len(refs),
    )
