"""What pydantic has against an environment, as problems with file, line and key, in sohistio's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sohistio.environments.model import Environment
from sohistio.environments.values import without_password
from sohistio.environments.yaml_files import Document, Key, Problem, unknown_key

_EXPECTED = {
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "string_type": "expected text",
    "tuple_type": "expected a list",
    "model_type": "expected keys and values",
    "model_attributes_type": "expected keys and values",
    "dict_type": "expected keys and values",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "string_too_short": "expected text",
}
_LIMITS = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}


def problems_in(error: ValidationError, files: Sequence[Document]) -> list[Problem]:
    """pydantic's errors as Problems at the file and line of the key, without what reading has found already."""
    problems = []
    for item in error.errors():
        key: Key = item["loc"]
        file = holder(key, files)
        if key not in file.unread:
            problems.append(file.problem(key, _message(item, key)))
    return problems


def holder(key: Key, files: Sequence[Document]) -> Document:
    """The file that decides `key`: the most special of those that hold it or most of the way to it."""
    return max(reversed(files), key=lambda file: len(file.nearest(key)))


def _message(item: ErrorDetails, key: Key) -> str:
    kind, value = item["type"], item["input"]
    if kind == "missing":
        part = _optional_part(key[:-1])
        needs = f"{part} needs it" if part else "every environment needs it, here or in base/environment.yaml"
        return f"is missing; {needs}"
    if kind == "extra_forbidden":
        return unknown_key(str(key[-1]), _known_keys(key[:-1]))
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        return f"expected {words} {item['ctx'][limit]}, got {value}"
    if kind == "value_error":
        message = str(item["ctx"]["error"])  # our own validators
        if isinstance(value, (dict, list, tuple)):
            return message
    elif kind == "literal_error":
        message = f"expected {item['ctx']['expected']}"
    else:
        message = _EXPECTED.get(kind, item["msg"])
    if isinstance(value, (dict, list)):
        return f"{message}, got {'a list' if isinstance(value, list) else 'keys and values'}"
    return f"{message}, got {'nothing' if value is None else repr(without_password(value))}"


def _known_keys(key: Key) -> list[str]:
    models = [model for model, _ in _models(key)]
    fields = (models[-1] if models else Environment).model_fields
    return [field.alias or name for name, field in fields.items()]


def _optional_part(key: Key) -> str:
    """The innermost key that an environment can do without, such as `notify`; empty where it needs all of them."""
    optional = [field.alias or "" for _, field in _models(key) if not field.is_required()]
    return optional[-1] if optional else ""


def _models(key: Key) -> Iterator[tuple[type[BaseModel], FieldInfo]]:
    """The model that each key of a path leads to, and the field that it is."""
    model: type[BaseModel] = Environment
    annotation: Any = None
    for part in key:
        # An item of a list, or an entry of a map with keys of its own: its model is the one of the list's or map's key.
        if isinstance(part, int) or get_origin(annotation) is dict:
            annotation = None
            continue
        field = next(field for field in model.model_fields.values() if field.alias == part)
        annotation = field.annotation
        model = next(
            kind
            for kind in (annotation, *get_args(annotation))
            if isinstance(kind, type) and issubclass(kind, BaseModel)
        )
        yield model, field
