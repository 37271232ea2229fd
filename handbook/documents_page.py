"""The list of JSON documents as Markdown, made of their schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parent.parent / "docs" / "schemas"
_INTRODUCTION = """\
# JSON documents

Made of docs/schemas by `make docs-reference`. With `--output json` a command prints one document to stdout; progress
goes to stderr. Every document has `kind` and `schemaVersion`, its keys are in lowerCamelCase, and an error is a
document too. For pipelines: [for machines](../machines.md).

| kind | what it is | schema |
|---|---|---|
"""


def documents_page() -> str:
    """The page."""
    return _INTRODUCTION + "".join(_row(path) for path in sorted(SCHEMAS.glob("*.json")))


def _row(path: Path) -> str:
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    about = str(schema["description"]).rstrip(".").replace("|", "\\|")
    return f"| `{schema['title']}` | {about} | [{path.name}](../schemas/{path.name}) |\n"
