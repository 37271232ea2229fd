"""Values out of the record's JSON, which anybody may edit: what is not as expected is named with its place. Pure."""

from __future__ import annotations

from collections.abc import Mapping


def mapping_in(value: object, place: str) -> Mapping[str, object]:
    """The value as an object. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"not a record of sohistio: {place} is no object")
    return value


def text_in(values: Mapping[str, object], key: str, place: str) -> str:
    """A text that must be there. Raises ValueError."""
    value = values.get(key)
    if not isinstance(value, str):
        raise ValueError(f"not a record of sohistio: {key} of {place} is {'no text' if key in values else 'missing'}")
    try:
        value.encode()  # JSON can hold what is no text: half a character
    except UnicodeEncodeError:
        raise ValueError(f"not a record of sohistio: {key} of {place} is no text") from None
    return value


def names_in(record: Mapping[str, object], key: str) -> tuple[str, ...]:
    """A list of texts; empty where it is missing. Raises ValueError."""
    found = record.get(key) or []
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise ValueError(f"not a record of sohistio: {key} is no list of names")
    return tuple(found)


def count_in(record: Mapping[str, object], key: str) -> int:
    """A number of things; 0 where it is missing. Raises ValueError."""
    found = record.get(key, 0)
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise ValueError(f"not a record of sohistio: {key} is no count")
    return found
