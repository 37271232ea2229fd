"""A changed field as lines for people: short in a list, whole on demand, long values as a unified diff."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from typing import Any

from sohistio.plan.changes import FieldChange

_LONGEST_VALUE = 60
_CONTEXT_LINES = 2


def one_line(change: FieldChange) -> str:
    """`spec.maxReplicas: 20 → 10 (set by kubectl-edit)`; of long values on both sides how many lines differ."""
    texts = _text(change.before), _text(change.after)
    if all(_is_long(text) for text in texts):
        count = sum(line.startswith(("-", "+")) for line in _unified(change))
        return f"{change.path}: {count} lines differ{set_by(change.manager)}"
    return f"{change.path}: {_cut(texts[0])} → {_cut(texts[1])}{set_by(change.manager)}"


def all_lines(change: FieldChange) -> Iterator[str]:
    """Nothing cut; long values as a unified diff, `-` what is there and `+` what is asked for."""
    texts = _text(change.before), _text(change.after)
    if not any(_is_long(text) for text in texts):
        yield f"{change.path}: {texts[0]} → {texts[1]}{set_by(change.manager)}"
        return
    yield f"{change.path}:{set_by(change.manager)}"
    for line in _unified(change):
        yield f"  {line}"


def _unified(change: FieldChange) -> list[str]:
    before, after = _lines(change.before), _lines(change.after)
    return list(difflib.unified_diff(before, after, lineterm="", n=_CONTEXT_LINES))[2:]


def _lines(value: Any) -> list[str]:
    """Text by its lines, a list by its items, a map by its keys."""
    if value is None:
        return []
    if isinstance(value, list):
        return [_text(item) for item in value]
    if isinstance(value, dict):
        return [f"{key}: {_text(item)}" for key, item in value.items()]
    return _text(value).splitlines()


def _text(value: Any) -> str:
    if value is None:
        return "(none)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _is_long(text: str) -> bool:
    return len(text) > _LONGEST_VALUE or "\n" in text


def _cut(text: str) -> str:
    text = text.replace("\n", "⏎")
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def set_by(manager: str) -> str:
    """Who made a hand edit; empty where nobody did."""
    return f" (set by {manager})" if manager else ""
