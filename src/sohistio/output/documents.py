"""Documents for machines: JSON that stays the same document, with nothing in it that a terminal or an agent obeys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sohistio.errors import SohistioError
from sohistio.model.document import SCHEMA_VERSION
from sohistio.output.asked import answered
from sohistio.system.sanitize import escaped_pairs


def json_text(document: Mapping[str, Any], *, indent: int | None = 2) -> str:
    """As JSON, all of it ASCII: beside what JSON escapes by itself, DEL and every `##`."""
    return escaped_pairs(json.dumps(document, indent=indent), "\\u0023").replace("\x7f", "\\u007f")


def print_json(document: Mapping[str, Any]) -> None:
    """The one document on stdout."""
    print(json_text(document))
    answered()


def print_document(text: str) -> None:
    """Any other document on stdout, as it is: its lines are its own."""
    print(text, end="")


def print_answer(kind: str, fields: Mapping[str, Any]) -> None:
    """A command's answer on stdout: a document of this kind."""
    print_json({"schemaVersion": SCHEMA_VERSION, "kind": kind, **fields})


def print_json_line(kind: str, fields: Mapping[str, Any]) -> None:
    """One of several documents on stdout, a line each: for a pipe."""
    print(json_text({"schemaVersion": SCHEMA_VERSION, "kind": kind, **fields}, indent=None))


def error_answer(error: SohistioError) -> dict[str, object]:
    """An error as the answer of a command that was asked for JSON."""
    return {"schemaVersion": SCHEMA_VERSION, "kind": "Error", "error": error.document()}
