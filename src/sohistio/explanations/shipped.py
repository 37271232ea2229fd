"""The documentation that comes with sohistio: in the wheel, or in the checkout of an editable install."""

from __future__ import annotations

from pathlib import Path

from sohistio.errors import FailedError


def shipped_documents() -> dict[str, str]:
    """docs/*.md, by their paths in the checkout. Raises FailedError where they are not there."""
    package = Path(__file__).parents[1]
    bundled, checkout = package / "_docs", package.parents[1]
    docs = bundled if bundled.is_dir() else checkout / "docs"
    try:
        return {f"docs/{path.name}": path.read_text(encoding="utf-8") for path in sorted(docs.glob("*.md"))}
    except OSError as error:
        raise FailedError(
            "the documentation of this sohistio cannot be read", details=(str(error),), todo="Install sohistio again."
        ) from error
