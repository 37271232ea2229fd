"""What the people of a workload say about its restarts: annotations on it, or on its namespace. Pure.

What cannot be read is never guessed: such a workload is left alone, with words that quote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sohistio.model.held import HELD
from sohistio.model.nearest import did_you_mean
from sohistio.model.restart_times import Freeze, Window, freeze_of, window_of

PREFIX = "sohistio.io/"
RESTART, REASON = f"{PREFIX}restart", f"{PREFIX}restart-reason"
WINDOWS, FREEZES = f"{PREFIX}restart-windows", f"{PREFIX}restart-freezes"
ORDER = f"{PREFIX}restart-order"
ANNOTATIONS = (RESTART, REASON, WINDOWS, FREEZES, ORDER)
NEVER, CANARY = "never", "canary"
_LABEL, _PODS_LABEL, _PODS_ANNOTATION = "label", "pod-template-label", "pod-template-annotation"
_ELSEWHERE = {
    _LABEL: ("label {}", "write it as an annotation (metadata.annotations) and remove the label"),
    _PODS_LABEL: (
        "label {} of its pod template",
        "write it as an annotation of the workload itself (metadata.annotations) and remove the label",
    ),
    _PODS_ANNOTATION: (
        "annotation {} of its pod template",
        "move it to the annotations of the workload itself (metadata.annotations)",
    ),
}
"""Where people write an annotation by mistake, as `restart_annotations` marks it: how it is named, and what to do."""
_MOST_QUOTED = 60
_MOST_TIMES = 32

_Time = TypeVar("_Time", Window, Freeze)


class UnreadableError(Exception):
    """An annotation that cannot be read; its text says which, how it is written, and what was expected."""


@dataclass(frozen=True, slots=True)
class OwnRules:
    """What one object's annotations ask for. `windows` is None where they say nothing of windows."""

    never: bool = False
    reason: str = ""
    windows: tuple[Window, ...] | None = None
    freezes: tuple[Freeze, ...] = ()
    canary: bool = False


NOTHING = OwnRules()


def restart_annotations(item: Mapping[str, Any]) -> dict[str, str]:
    """Those of a raw object's annotations that are about restarts, and what may be meant to be one, by a name that is
    none: another key, a label, or on the pod template. A slip of the pen in an opt-out must not pass for none.
    """
    metadata, template = item.get("metadata") or {}, (item.get("spec") or {}).get("template") or {}
    of_pods = template.get("metadata") or {}
    places = (
        ("", metadata.get("annotations")),
        (f"{_LABEL} ", metadata.get("labels")),
        (f"{_PODS_LABEL} ", of_pods.get("labels")),
        (f"{_PODS_ANNOTATION} ", of_pods.get("annotations")),
    )
    return {
        f"{place}{key}": str(value)
        for place, found in places
        for key, value in (found or {}).items()
        if key.lower().startswith(PREFIX) and key != HELD
    }


def own_rules(annotations: Mapping[str, str]) -> OwnRules:
    """Read an object's annotations about restarts. Raises UnreadableError."""
    if not annotations:
        return NOTHING
    for written in sorted(annotations):
        _check_name(written, annotations[written])
    reason = " ".join(annotations.get(REASON, "").split())
    return OwnRules(
        never=_word(annotations, RESTART, NEVER),
        reason=reason,
        windows=tuple(_each(annotations, WINDOWS, window_of)) if WINDOWS in annotations else None,
        freezes=tuple(_each(annotations, FREEZES, lambda text: freeze_of(text, reason))),
        canary=_word(annotations, ORDER, CANARY),
    )


def _check_name(written: str, value: str) -> None:
    """Only annotations of the object itself are read, by their exact names. Raises UnreadableError for all else."""
    place, _, key = written.rpartition(" ")
    if place and key in ANNOTATIONS:
        what, todo = _ELSEWHERE[place]
        raise UnreadableError(f"the {what.format(key)} has {_quoted(value)}, which is not read there: {todo}")
    if place:
        what, _ = _ELSEWHERE[place]
        raise UnreadableError(
            f"the {what.format(_quoted(key))} is not read: remove it, or write what you mean as an annotation of the "
            f"object itself ({_meant(key)})"
        )
    if key not in ANNOTATIONS:
        raise UnreadableError(f"there is no annotation {_quoted(key)} ({_meant(key)})")


def _meant(key: str) -> str:
    return did_you_mean(key, ANNOTATIONS) or f"known: {', '.join(ANNOTATIONS)}"


def _word(annotations: Mapping[str, str], key: str, known: str) -> bool:
    """Whether it is there, with the one value that there is, in capitals or not."""
    if key not in annotations:
        return False
    value = annotations[key]
    if value.strip().lower() != known:
        found = f"is {_quoted(value)}" if value.strip() else "is empty"
        raise UnreadableError(f"annotation {key} {found}, expected {known}")
    return True


def _each(annotations: Mapping[str, str], key: str, read: Callable[[str], _Time]) -> Iterator[_Time]:
    """The parts of a list, which `;` separates."""
    if key not in annotations:
        return
    parts = annotations[key].split(";")
    if len(parts) > _MOST_TIMES:
        raise UnreadableError(f"annotation {key} has {len(parts)} parts, expected at most {_MOST_TIMES}")
    for part in parts:
        try:
            yield read(part)
        except ValueError as error:
            found = f"has {_quoted(part.strip())}" if part.strip() else "has an empty part" if parts[1:] else "is empty"
            raise UnreadableError(f"annotation {key} {found}, {error}") from None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _MOST_QUOTED else f"{text[:_MOST_QUOTED]}…")
