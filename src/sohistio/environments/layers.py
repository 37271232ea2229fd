"""Layers of settings: a general document, and a more special one laid over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def merge(base: Mapping[str, Any], over: Mapping[str, Any], *, by_name: bool = False) -> dict[str, Any]:
    """`over` laid on `base`: maps merge, anything else replaces. Neither argument is changed.

    With `by_name`, lists whose items all have a name (and, where given, a kind) of their own merge item by item,
    new items after the old ones; other lists replace each other.
    """
    merged = {name: _copy(value) for name, value in base.items()}
    for name, value in over.items():
        merged[name] = _merge_values(merged.get(name), value, by_name)
    return merged


def _merge_values(base: Any, over: Any, by_name: bool) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return merge(base, over, by_name=by_name)
    if by_name and isinstance(base, list) and isinstance(over, list):
        base_names, over_names = _names(base), _names(over)
        if base_names is not None and over_names is not None:
            items = {name: _copy(item) for name, item in zip(base_names, base, strict=True)}
            for name, item in zip(over_names, over, strict=True):
                items[name] = _merge_values(items.get(name), item, by_name)
            return list(items.values())
    return _copy(over)


def _names(items: Sequence[Any]) -> list[tuple[str, str]] | None:
    """What tells the items of a list apart, or None where something else than names does."""
    if not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        return None
    names = [(str(item.get("kind", "")), item["name"]) for item in items]
    return names if len(set(names)) == len(names) else None


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value
