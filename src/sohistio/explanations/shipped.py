"""The documentation that comes with sohistio: in the wheel, or in the checkout of an editable install."""

from __future__ import annotations

from pathlib import Path

from sohistio.errors import FailedError


def shipped_documents() -> dict[str, str]:
    """README.md and docs/*.md, by their paths in the checkout. Raises FailedError where they are not there."""
    package = Path(__file__).parents[1]
    bundled, checkout = package / "_docs", package.parents[1]
    docs, readme = (bundled, bundled / "README.md") if bundled.is_dir() else (checkout / "docs", checkout / "README.md")
    try:
        found = {f"docs/{path.name}": path for path in sorted(docs.glob("*.md")) if path != readme}
        return {name: path.read_text(encoding="utf-8") for name, path in {"README.md": readme, **found}.items()}
    except OSError as error:
        raise FailedError(
            "the documentation of this sohistio cannot be read", details=(str(error),), todo="Install sohistio again."
        ) from error
