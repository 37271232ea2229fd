"""The comparison of somebody who may only read: is what the manifest asks for part of what the cluster has?

No dry run is asked, so the server's defaulting has to be left out: a field that only the live object has is no
difference. What another manager added is therefore not seen, as it would not be by server-side apply either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sohistio.model.quantity import quantity
from sohistio.plan.changes import FieldChange
from sohistio.plan.drift.fields import ReadText, by_name, field_change
from sohistio.plan.drift.managers import Item, Step, writer_of
from sohistio.plan.drift.noise import is_parked, quiet

# Under these keys a value is a resource.Quantity, which the server writes in its own way.
_QUANTITY_KEYS = frozenset({"requests", "limits", "averageValue", "sizeLimit", "divisor", "hard", "capacity"})
# The server drops what is empty; `preserveUnknownFields: false` is how CRDs are converted to v1, and is dropped too.
_DROPPED_WHEN_FALSE = frozenset({"preserveUnknownFields"})

_Differences = Iterator[tuple[tuple[Step, ...], Any, Any]]


def missing_fields(live: Mapping[str, Any], desired: Mapping[str, Any], read_text: ReadText) -> tuple[FieldChange, ...]:
    """The fields of `desired` that the live object does not have so; lists of named things by name, quantities by
    value ("1000m" is "1").
    """
    parked = is_parked(live)
    opened = read_text if live.get("kind") == "ConfigMap" else None
    managed = live["metadata"].get("managedFields") or ()
    return tuple(
        field_change(live, path, (old, new), writer_of(managed, path) if old is not None else "")
        for path, old, new in _missing((), quiet(live, parked=parked), quiet(desired, parked=parked), opened)
    )


def _missing(path: tuple[Step, ...], live: Any, desired: Any, read_text: ReadText | None) -> _Differences:
    if live == desired or (live is None and _is_dropped(path, desired)):
        return
    if isinstance(live, str) and isinstance(desired, str) and read_text is not None:
        texts = read_text(live), read_text(desired)
        if texts[0] is not None and texts[1] is not None:
            # Nothing is defaulted inside a text: here a field too many is a difference as well.
            yield from _missing_text(path, texts[0], texts[1])
            return
    if isinstance(live, Mapping) and isinstance(desired, Mapping):
        for key in sorted(desired):
            yield from _missing((*path, key), live.get(key), desired[key], read_text)
    elif isinstance(live, list) and isinstance(desired, list):
        yield from _missing_items(path, live, desired, read_text)
    elif not _same_quantity(path, live, desired):
        yield path, live, desired


def _missing_text(path: tuple[Step, ...], live: Mapping[str, Any], desired: Mapping[str, Any]) -> _Differences:
    for key in sorted(live.keys() | desired.keys()):
        old, new = live.get(key), desired.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _missing_text((*path, key), old, new)
        elif old != new:
            yield (*path, key), old, new


def _missing_items(
    path: tuple[Step, ...], live: list[Any], desired: list[Any], read_text: ReadText | None
) -> _Differences:
    have, want = by_name(live), by_name(desired)
    if have is not None and want is not None and want:
        for name, item in want.items():
            yield from _missing((*path, Item(name, have.get(name) or item)), have.get(name), item, read_text)
    elif len(live) != len(desired) or any(
        difference for old, new in zip(live, desired, strict=True) for difference in _missing(path, old, new, read_text)
    ):
        yield path, live, desired


def _is_dropped(path: tuple[Step, ...], desired: Any) -> bool:
    if desired is False:
        return bool(path) and path[-1] in _DROPPED_WHEN_FALSE
    if isinstance(desired, Mapping):
        return all(_is_dropped((*path, key), value) for key, value in desired.items())
    return desired is None or desired in ("", [])


def _same_quantity(path: tuple[Step, ...], live: Any, desired: Any) -> bool:
    if not any(step in _QUANTITY_KEYS for step in path[-2:]):
        return False
    values = quantity(live), quantity(desired)
    return values[0] is not None and values[0] == values[1]
