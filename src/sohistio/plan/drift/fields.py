"""The fields that an apply would change: the live object against what a dry run leaves of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sohistio.model.hidden import HIDDEN, MATCHES, shown
from sohistio.model.injecting_hook import NARROWED, misses
from sohistio.plan.changes import FieldChange
from sohistio.plan.drift.managers import Item, Step, path_text, writer_of
from sohistio.plan.drift.noise import REVISION_TAG, is_parked, quiet

# Reads a text that is YAML or JSON into its mapping; None where it is other text.
ReadText = Callable[[str], Mapping[str, Any] | None]


def changed_fields(live: Mapping[str, Any], applied: Mapping[str, Any], read_text: ReadText) -> tuple[FieldChange, ...]:
    """The fields that an apply would change on a live object, without noise, each with who edited it by hand.

    Noise is what the server, istiod, istioctl's installing, AKS or an autoscaler write by themselves (docs/drift.md:
    in sync means no difference). YAML and JSON in a ConfigMap compare by their fields, so comments are no difference.
    """
    parked = is_parked(live)
    before, after = quiet(live, parked=parked), quiet(applied, parked=parked)
    opened = read_text if live.get("kind") == "ConfigMap" else _nothing
    managed: Sequence[Mapping[str, Any]] = live["metadata"].get("managedFields") or ()
    return tuple(
        field_change(live, path, (old, new), writer_of(managed, path) if old is not None else "")
        for path, old, new in _differences((), before, after, opened)
    )


def injecting_changes(injector: Mapping[str, Any], tag: Mapping[str, Any] | None) -> tuple[FieldChange, ...]:
    """Who injects: the default revision tag's webhooks, which istioctl makes last of all, and not the injector's own.

    An install that ended before its last step leaves the injector's own, or both, which inject a pod twice. A tag that
    somebody changed so that it injects less is made again, but for `matchConditions`: istioctl leaves those.
    """
    parked = is_parked(injector)
    if tag is None or not parked:
        there = "parked" if parked else "serve"
        beside = f"there is no {REVISION_TAG}" if tag is None else f"so does {REVISION_TAG}"
        return (FieldChange("webhooks", f"{there}, and {beside}", f"parked, and {REVISION_TAG} serves"),)
    lost = [words for words in misses(tag) if not words.endswith(NARROWED)]
    return tuple(FieldChange(REVISION_TAG, words, "as istioctl makes it") for words in lost)


def field_change(obj: Mapping[str, Any], path: Sequence[Step], values: tuple[Any, Any], manager: str) -> FieldChange:
    """A change as it may be shown: nothing of a Secret's data, no password, no key."""
    secret = obj.get("kind") == "Secret" and path[:1] in (("data",), ("stringData",))
    name = _name_of(path)
    before, after = ((None if value is None else HIDDEN) if secret else shown(name, value) for value in values)
    return FieldChange(path_text(path), before, after, manager)


def _name_of(path: Sequence[Step]) -> str:
    """What says of a field at this path what it holds: its key, or that of an item or a match around it."""
    if not path:
        return ""
    last = path[-1]
    if last == "value":
        return next((step.name for step in reversed(path) if isinstance(step, Item)), "")
    if last in MATCHES and len(path) > 1:
        last = path[-2]
    return last if isinstance(last, str) else last.name


def _nothing(_: str) -> None:
    """Text of other kinds stays text."""


def value_differences(before: Any, after: Any) -> Iterator[tuple[tuple[Step, ...], Any, Any]]:
    """Where two plain values differ: the path, what is there before and after (None where it is absent)."""
    yield from _differences((), before, after, _nothing)


def value_changes(before: Any, after: Any) -> tuple[FieldChange, ...]:
    """The same as fields that may be shown: passwords and private keys are hidden."""
    return tuple(field_change({}, path, (old, new), "") for path, old, new in value_differences(before, after))


def _differences(
    path: tuple[Step, ...], before: Any, after: Any, read_text: ReadText
) -> Iterator[tuple[tuple[Step, ...], Any, Any]]:
    if before == after:
        return
    before, after = _opened(before, after, read_text)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _differences((*path, key), before.get(key), after.get(key), read_text)
        return
    if isinstance(before, list) and isinstance(after, list):
        old, new = by_name(before), by_name(after)
        if old is not None and new is not None:
            for key in sorted(old.keys() | new.keys()):
                step = Item(key, old.get(key) or new[key])
                yield from _differences((*path, step), old.get(key), new.get(key), read_text)
            return
    yield path, before, after


def _opened(before: Any, after: Any, read_text: ReadText) -> tuple[Any, Any]:
    """Two texts that both are YAML or JSON compare by their fields (Istio's ConfigMaps hold their values so)."""
    if not (isinstance(before, str) and isinstance(after, str)):
        return before, after
    old = read_text(before)
    new = read_text(after) if old is not None else None
    return (before, after) if old is None or new is None else (old, new)


def by_name(items: list[Any]) -> dict[str, Any] | None:
    """Lists of named things compare by name, so that one added container is one change. None for other lists."""
    if not all(isinstance(item, Mapping) and "name" in item for item in items):
        return None
    named = {str(item["name"]): item for item in items}
    return named if len(named) == len(items) else None
