"""Changes: what applying the manifest would change, object by object and field by field. Data and pure comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sohistio.state import ObjectRef

# What istioctl adds while it installs; `manifest generate` does not have it, so it is no drift.
_INSTALLER_LABELS = frozenset(
    {
        "install.operator.istio.io/owning-resource",
        "install.operator.istio.io/owning-resource-namespace",
        "istio.io/rev",
        "operator.istio.io/component",
        "operator.istio.io/managed",
        "operator.istio.io/version",
    }
)
_SERVER_METADATA = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
# AKS adds these to webhooks' namespaceSelectors (Admissions Enforcer, Azure/AKS#4002).
_AKS_SELECTOR_KEYS = frozenset({"control-plane", "kubernetes.azure.com/managedby"})
# istioctl parks the injector's own webhooks on this selector once the default revision tag exists.
_PARKED = "istio.io/deactivated"


class Action(StrEnum):
    """What happens to an object."""

    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: `path` as in kubectl explain, with the value before and after (None where it is absent)."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object that is created, changed (with the fields) or removed."""

    ref: ObjectRef
    action: Action
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """All changes, sorted by object."""

    objects: tuple[ObjectChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.objects)

    def merged(self, others: Sequence[ObjectChange]) -> Changes:
        """With further changes; fields of an object that is there already are added to it."""
        by_ref = {change.ref: change for change in self.objects}
        for other in others:
            known = by_ref.get(other.ref)
            fields = (*known.fields, *other.fields) if known else other.fields
            by_ref[other.ref] = ObjectChange(other.ref, known.action if known else other.action, fields)
        return Changes(tuple(sorted(by_ref.values(), key=lambda change: change.ref)))

    def count(self, action: Action) -> int:
        """How many objects see this action."""
        return sum(change.action is action for change in self.objects)

    def summary(self) -> str:
        """`3 created, 1 changed, 0 removed`."""
        return ", ".join(f"{self.count(action)} {action}" for action in Action)


def ref_of(obj: Mapping[str, Any]) -> ObjectRef:
    """The reference of a raw object."""
    metadata = obj["metadata"]
    return ObjectRef(obj["kind"], metadata.get("namespace", ""), metadata["name"])


def changed_fields(live: Mapping[str, Any], applied: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields that an apply would change on a live object, without noise.

    Noise is what the server, istiod, istioctl's installing, AKS or an autoscaler write by themselves (DESIGN: "in sync
    means no difference").
    """
    parked = any(_PARKED in (hook.get("objectSelector") or {}).get("matchLabels", {}) for hook in _webhooks(live))
    return tuple(_differences("", _quiet(live, parked), _quiet(applied, parked)))


def _webhooks(obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return obj.get("webhooks") or []


def _quiet(obj: Mapping[str, Any], parked: bool) -> dict[str, Any]:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVER_METADATA}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k not in _INSTALLER_LABELS}
    metadata["labels"] = labels
    result = {key: value for key, value in obj.items() if key != "status"}
    result["metadata"] = metadata
    if "webhooks" in obj:
        result["webhooks"] = [_quiet_webhook(webhook, parked) for webhook in _webhooks(obj)]
    return result


def _quiet_webhook(webhook: Mapping[str, Any], parked: bool) -> dict[str, Any]:
    result = {key: value for key, value in webhook.items() if key != "failurePolicy"}
    result["clientConfig"] = {k: v for k, v in webhook.get("clientConfig", {}).items() if k != "caBundle"}
    for key in ("namespaceSelector", "objectSelector"):
        selector = {} if parked else dict(webhook.get(key) or {})
        kept = [e for e in selector.pop("matchExpressions", ()) if e["key"] not in _AKS_SELECTOR_KEYS]
        result[key] = selector | ({"matchExpressions": kept} if kept else {})
    return result


def _differences(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if before == after:
        return
    before, after = _opened(before), _opened(after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _differences(f"{path}.{key}" if path else key, before.get(key), after.get(key))
        return
    if isinstance(before, list) and isinstance(after, list):
        named_before, named_after = _by_name(before), _by_name(after)
        if named_before is not None and named_after is not None:
            for key in sorted(named_before.keys() | named_after.keys()):
                yield from _differences(f"{path}[{key}]", named_before.get(key), named_after.get(key))
            return
    yield FieldChange(path, before, after)


def _opened(value: Any) -> Any:
    """JSON kept in a string (Istio's ConfigMaps hold their values so) compares by its fields."""
    if not (isinstance(value, str) and value.startswith("{") and "\n" in value):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    """Lists of named things compare by name, so that one added container is one change. None for other lists."""
    if not all(isinstance(item, Mapping) and "name" in item for item in items):
        return None
    named = {str(item["name"]): item for item in items}
    return named if len(named) == len(items) else None
