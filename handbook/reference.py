"""Writes docs/reference/ and the picture of the layers: what is made of the code. Run by `make docs-reference`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from checks_page import checks_page
from commands_page import commands_page
from documents_page import documents_page
from environments_page import environments_page
from layers_picture import layers_picture

DOCS = Path(__file__).parent.parent / "docs"
MADE: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands_page,
    "reference/environments.md": environments_page,
    "reference/checks.md": checks_page,
    "reference/documents.md": documents_page,
    "pictures/layers.svg": layers_picture,
}


def main() -> None:
    """Write the files that differ."""
    for name, make in MADE.items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        text = make()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"docs/{name}")


if __name__ == "__main__":
    main()
