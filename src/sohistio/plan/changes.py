"""Changes: what applying the manifest would change, object by object and field by field. Data only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sohistio.model.state import ObjectRef


class Action(StrEnum):
    """What happens to an object."""

    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: `path` as in kubectl explain, with the value before and after (None where it is absent).

    `manager` is the field manager that wrote the value before, where that was not istioctl: a hand edit.
    """

    path: str
    before: Any
    after: Any
    manager: str = ""


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object that is created, changed (with the fields) or removed; `component` is the part of Istio it is of; of
    a sync its namespace.
    """

    ref: ObjectRef
    action: Action
    fields: tuple[FieldChange, ...] = ()
    component: str = "other"


@dataclass(frozen=True, slots=True)
class Changes:
    """All changes, sorted by object. `notice` says where the comparison could not be as thorough as it should be."""

    objects: tuple[ObjectChange, ...] = ()
    notice: str = field(default="", compare=False)

    def __bool__(self) -> bool:
        return bool(self.objects)

    def merged(self, others: Sequence[ObjectChange]) -> Changes:
        """With further changes; fields of an object that is there already are added to it."""
        by_ref = {change.ref: change for change in self.objects}
        for other in others:
            known = by_ref.get(other.ref)
            by_ref[other.ref] = replace(known, fields=(*known.fields, *other.fields)) if known else other
        return replace(self, objects=tuple(sorted(by_ref.values(), key=lambda change: change.ref)))

    def count(self, action: Action) -> int:
        """How many objects see this action."""
        return sum(change.action is action for change in self.objects)

    def summary(self) -> str:
        """`3 created, 1 changed, 0 removed`."""
        return ", ".join(f"{self.count(action)} {action}" for action in Action)

    @property
    def components(self) -> Mapping[str, Changes]:
        """The changes by component, sorted by its name."""
        names = sorted({change.component for change in self.objects})
        return {name: Changes(tuple(c for c in self.objects if c.component == name)) for name in names}

    @property
    def managers(self) -> tuple[str, ...]:
        """Who edited by hand what the manifest owns, sorted."""
        return tuple(sorted({item.manager for change in self.objects for item in change.fields if item.manager}))


def ref_of(obj: Mapping[str, Any]) -> ObjectRef:
    """The reference of a raw object."""
    metadata = obj["metadata"]
    return ObjectRef(obj["kind"], metadata.get("namespace", ""), metadata["name"])


def component_of(obj: Mapping[str, Any]) -> str:
    """The part of Istio that an object is of: `base`, `istiod`, a gateway's name, or `other`.

    The chart's label says it of a rendered object; `operator.istio.io/component`, which istioctl adds while it
    installs, of one that only the cluster has.
    """
    labels: Mapping[str, str] = obj["metadata"].get("labels") or {}
    chart = labels.get("helm.sh/chart", "").rpartition("-")[0]
    installed = {"Base": "base", "Pilot": "istiod", "Cni": "istio-cni", "Ztunnel": "ztunnel"}
    component = labels.get("operator.istio.io/component", "")
    if chart in ("base", "istiod") or component in installed:
        return chart if chart in ("base", "istiod") else installed[component]
    return labels.get("app.kubernetes.io/name") or labels.get("app") or "other"
