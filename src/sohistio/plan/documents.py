"""A plan's parts as JSON: every field of every step, so that the digest covers all that a run does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from sohistio.model.state import ObjectRef
from sohistio.model.versions import Version
from sohistio.plan.changes import Action, Changes
from sohistio.plan.steps import Step

# What says nothing of what is done: the digest leaves it out.
_NOT_DONE = ("notices", "heldBack", "digest", "fileDigest")


def digest_of(document: Mapping[str, Any], without: Collection[str] = _NOT_DONE) -> str:
    """SHA-256 of a plan's document without these keys. By default two plans with the same one do the same things."""
    done = {key: value for key, value in document.items() if key not in without}
    return hashlib.sha256(json.dumps(done, sort_keys=True).encode()).hexdigest()


def ref_document(ref: ObjectRef) -> dict[str, str]:
    """An object reference as JSON."""
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def step_document(step: Step) -> dict[str, Any]:
    """A step with all its fields, in lowerCamelCase; of a long text (a manifest, say) its SHA-256 as `…Digest`."""
    document: dict[str, Any] = {"id": step.id, "type": type(step).__name__}
    document |= {"summary": step.summary, "risk": step.risk.value}
    for item in fields(step):
        value = getattr(step, item.name)
        if "digest" in item.metadata:
            text = json.dumps(_plain(value))
            document[f"{_camel(item.name)}Digest"] = hashlib.sha256(text.encode()).hexdigest()
        else:
            document[_camel(item.name)] = _plain(value)
    return document


def changes_document(changes: Changes) -> dict[str, Any]:
    """What applying the manifest changes: counts, by component too, and every object with its fields."""
    return {
        **_counts(changes),
        "components": [{"name": name, **_counts(part)} for name, part in changes.components.items()],
        "objects": [
            {
                **ref_document(change.ref),
                "component": change.component,
                "action": change.action.value,
                "fields": [
                    {"path": f.path, "before": f.before, "after": f.after, "manager": f.manager or None}
                    for f in change.fields
                ],
            }
            for change in changes.objects
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, ObjectRef):
        return ref_document(value)
    if isinstance(value, Version):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        found = {item.name: getattr(value, item.name) for item in fields(value)}
        about = ref_document(found.pop("ref")) if "ref" in found else {}
        return about | {_camel(name): _plain(part) for name, part in found.items()}
    if isinstance(value, tuple):
        if len(value) == 2 and isinstance(value[0], ObjectRef) and not isinstance(value[1], ObjectRef):
            return ref_document(value[0]) | {"value": _plain(value[1])}
        return [_plain(part) for part in value]
    return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _counts(changes: Changes) -> dict[str, int]:
    return {action.value: changes.count(action) for action in Action}
