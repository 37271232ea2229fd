"""Expressions of Azure Pipelines, as far as pipelines/ uses them. Anything else is an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Functions = Mapping[str, Callable[..., Any]]
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\d+)|([A-Za-z_][\w-]*)|(.))")


def text_of(value: Any) -> str:
    """A value within a text, as Azure writes it."""
    return str(value) if isinstance(value, bool | str | int) else ("" if value is None else str(value))


def _equal(left: Any, right: Any) -> bool:
    """Texts without regard to case; what the left one is decides."""
    if isinstance(left, bool):
        return left is (right if isinstance(right, bool) else text_of(right).lower() == "true")
    return text_of(left).lower() == text_of(right).lower()


PURE: Functions = {
    "eq": _equal,
    "ne": lambda left, right: not _equal(left, right),
    "and": lambda *values: all(values),
    "or": lambda *values: any(values),
    "not": lambda value: not value,
    "in": lambda value, *others: any(_equal(value, other) for other in others),
    "replace": lambda text, old, new: text_of(text).replace(old, new),
}


class Variables(dict[str, str]):
    """Variables of a run or a job: names without regard to case, and one that is not set is empty."""

    def __init__(self, values: Mapping[str, str] = {}) -> None:
        super().__init__({key.lower(): value for key, value in values.items()})

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key.lower(), default)

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key.lower(), value)

    def __contains__(self, key: object) -> bool:
        return super().__contains__(str(key).lower())

    @property
    def environ(self) -> dict[str, str]:
        """As scripts see them: capital letters, dots and spaces as underscores."""
        return {re.sub(r"[. ]", "_", key).upper(): value for key, value in self.items()}


def evaluate(expression: str, names: Mapping[str, Any], functions: Functions = PURE) -> Any:
    """The value of an expression. Raises ValueError for what is not known here."""
    tokens = [match.group(match.lastindex or 0) for match in _TOKEN.finditer(expression.strip())]
    value, rest = _value(tokens, names, functions)
    if rest:
        raise ValueError(f"{expression!r}: what is {rest}?")
    return value


def _value(tokens: list[str], names: Mapping[str, Any], functions: Functions) -> tuple[Any, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first.startswith("'"):
        return first[1:-1].replace("''", "'"), rest
    if first.isdigit():
        return int(first), rest
    if rest[:1] == ["("]:
        return _call(first, rest[1:], names, functions)
    if first in ("true", "false"):
        return first == "true", rest
    if first not in names:
        raise ValueError(f"{first} is not known")
    return _members(names[first], rest, names, functions)


def _call(name: str, tokens: list[str], names: Mapping[str, Any], functions: Functions) -> tuple[Any, list[str]]:
    arguments = []
    while tokens[0] != ")":
        value, tokens = _value(tokens, names, functions)
        arguments.append(value)
        if tokens[0] == ",":
            tokens = tokens[1:]
    if name not in functions:
        raise ValueError(f"the function {name} is not known")
    return functions[name](*arguments), tokens[1:]


def _members(value: Any, tokens: list[str], names: Mapping[str, Any], functions: Functions) -> tuple[Any, list[str]]:
    while tokens and tokens[0] in ".[":
        if tokens[0] == ".":
            value, tokens = _member(value, tokens[1]), tokens[2:]
        else:
            key, tokens = _value(tokens[1:], names, functions)
            value, tokens = _member(value, key), tokens[1:]
    return value, tokens


def _member(value: Any, key: str) -> Any:
    if isinstance(value, Variables):
        return value.get(key, "")
    return value[key]
