"""The documentation that comes with sohistio: in the wheel, or in the checkout of an editable install."""

from __future__ import annotations

from pathlib import Path

from sohistio.errors import FailedError


def shipped_documents(package: Path = Path(__file__).parents[1]) -> dict[str, str]:
    """docs/*.md of the package, by their paths in the checkout. Raises FailedError where they are not there."""
    bundled, checkout = package / "_docs", package.parents[1]
    docs = bundled if bundled.is_dir() else checkout / "docs"
    try:
        found = {f"docs/{path.name}": path.read_text(encoding="utf-8") for path in sorted(docs.glob("*.md"))}
    except OSError as error:
        raise _missing(str(error)) from error
    if not found:  # a glob is silent about a folder that is not there
        raise _missing(f"there is none in {docs}")
    return found


def _missing(why: str) -> FailedError:
    return FailedError(
        "the documentation of this sohistio cannot be read", details=(why,), todo="Install sohistio again."
    )
