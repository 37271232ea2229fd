"""The JSON schemas of docs/schemas, and a document held against its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from sandboxes import CHECKOUT

SCHEMAS = {
    schema["title"]: schema
    for file in (CHECKOUT / "docs" / "schemas").glob("*.schema.json")
    for schema in [json.loads(file.read_text(encoding="utf-8"))]
}


def undescribed(schema: Any, value: Any, root: dict[str, Any], place: str = "") -> Iterator[str]:
    """The keys that no schema names; an object without properties is free, as one with additionalProperties is."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    for one in schema.get("anyOf", ()):
        if one.get("type") != "null":
            yield from undescribed(one, value, root, place)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from undescribed(schema.get("items"), item, root, f"{place}[{number}]")
    properties = schema.get("properties")
    if isinstance(value, dict) and properties:
        for key, item in value.items():
            if key in properties:
                yield from undescribed(properties[key], item, root, f"{place}.{key}")
            elif not schema.get("additionalProperties"):
                yield f"{place}.{key}"


def check(text: str, kind: str) -> dict[str, Any]:
    """Hold a document against its schema."""
    document: dict[str, Any] = json.loads(text)
    assert document["kind"] == kind
    Draft202012Validator(SCHEMAS[kind]).validate(document)
    assert list(undescribed(SCHEMAS[kind], document, SCHEMAS[kind])) == []
    return document
