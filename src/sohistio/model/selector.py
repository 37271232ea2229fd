"""Label selectors, as the API server reads them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_COMMA = re.compile(r",(?![^(]*\))")
_REQUIREMENT = re.compile(r"(!)?([A-Za-z0-9./_-]+)(?:=([A-Za-z0-9._-]*)| in \(([A-Za-z0-9.,_-]*)\))?")


def selector_matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a LabelSelector picks these labels; None picks nothing, an empty selector picks all (policy/v1)."""
    if selector is None:
        return False
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    expressions: Sequence[Mapping[str, Any]] = selector.get("matchExpressions") or ()
    return all(_expression_matches(expression, labels) for expression in expressions)


def _expression_matches(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def labels_match(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether a selector as a query has it (`app=istiod,!release`, `app in (a,b)`) picks these labels.

    Raises ValueError for one of another form.
    """
    return all(_requirement_holds(requirement, labels) for requirement in requirements(selector))


def requirements(selector: str) -> list[str]:
    """Its parts, all of which must hold; the comma in `app in (a,b)` parts nothing."""
    return [part for part in _COMMA.split(selector) if part]


def _requirement_holds(requirement: str, labels: Mapping[str, str]) -> bool:
    found = _REQUIREMENT.fullmatch(requirement)
    if found is None:
        raise ValueError(f"the label selector {requirement!r} is of a form that is not known here")
    absent, key, value, values = found.groups()
    if absent:
        return key not in labels
    if values is not None:
        return labels.get(key) in values.split(",")
    return key in labels if value is None else labels.get(key) == value
