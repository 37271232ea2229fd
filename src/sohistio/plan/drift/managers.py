"""Who wrote a field of a live object: managedFields (fieldsV1, structured-merge-diff), read along a path."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sohistio.plan.ownership import ISTIOCTL_MANAGER


@dataclass(frozen=True, slots=True)
class Item:
    """A step into a list of named things: the name, and the live item, whose keys fieldsV1 may use instead."""

    name: str
    item: Mapping[str, Any] = field(compare=False)


Step = str | Item


def path_text(path: Sequence[Step]) -> str:
    """`spec.containers[discovery].image`."""
    text = ""
    for step in path:
        text += f"[{step.name}]" if isinstance(step, Item) else f".{step}" if text else step
    return text


def writer_of(managed_fields: Sequence[Mapping[str, Any]], path: Sequence[Step]) -> str:
    """The manager that owns the field and is not istioctl's, the newest of several; empty where there is none."""
    return next(iter(writers_of(managed_fields, path)), "")


def writers_of(managed_fields: Sequence[Mapping[str, Any]], path: Sequence[Step]) -> list[str]:
    """All managers that own the field and are not istioctl's, the newest first."""
    others = [entry for entry in managed_fields if entry.get("manager") != ISTIOCTL_MANAGER and "fieldsV1" in entry]
    newest = sorted(others, key=lambda entry: str(entry.get("time", "")), reverse=True)
    return [str(entry["manager"]) for entry in newest if entry["fieldsV1"] and _owns(entry["fieldsV1"], path)]


def owns(entry: Mapping[str, Any], path: Sequence[Step]) -> bool:
    """Whether an entry of managedFields names the field."""
    return bool(entry.get("fieldsV1")) and _owns(entry["fieldsV1"], path)


def _owns(tree: Mapping[str, Any], path: Sequence[Step]) -> bool:
    """A leaf owns everything under it: atomic lists, and text that we read as YAML."""
    if not path or not tree:
        return True
    child = _child(tree, path[0])
    return child is not None and _owns(child, path[1:])


def _child(tree: Mapping[str, Any], step: Step) -> Mapping[str, Any] | None:
    if isinstance(step, str):
        found: Mapping[str, Any] | None = tree.get(f"f:{step}")
        return found
    for key, child in tree.items():
        if key.startswith("k:"):
            wanted: dict[str, Any] = json.loads(key[2:])
            if all(step.item.get(name) == value for name, value in wanted.items()):
                return dict(child)
    return None
