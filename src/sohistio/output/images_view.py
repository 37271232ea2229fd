"""The images that a version needs: as a table, and as a document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from sohistio.output.fitted import Fitted
from sohistio.planning.images import ListedImage

_DIGEST_SHOWN = len("sha256:") + 12
_COLUMNS = ("image", "platforms", "digest", "used by")
_NOT_KNOWN = "not known"


def images_view(images: Sequence[ListedImage], places: tuple[str, str], about: str) -> list[RenderableType]:
    """What they are (`about`), the two places that they have in common (long, so said once), and the table."""
    source, target = places
    head = f"{about}: {len(images)} image{'s' * (len(images) != 1)}"
    parts: list[RenderableType] = [
        Group(Text(head, style="bold"), Text(f"source  {source}"), Text(f"target  {target}"))
    ]
    rows = []
    for listed in images:
        name = str(listed.needed.image.by_tag)
        shown = name.removeprefix(f"{target}/") if listed.source else name
        used_by = _listing(_names(listed.needed.used_by))
        rows.append((shown, _listing(listed.platforms), _short(listed.digest), used_by))
    parts.append(Fitted(_COLUMNS, rows, prose=len(_COLUMNS) - 1, gap=2))
    if foreign := [str(listed.needed.image) for listed in images if listed.source is None]:
        parts.append(
            Group(*(Text(f"not in the target, so never mirrored: {name}", style="yellow") for name in foreign))
        )
    return parts


def images_document(images: Iterable[ListedImage]) -> list[dict[str, Any]]:
    """Each image with its source and target; null is what is not known."""
    return [
        {
            "source": str(listed.source.by_tag) if listed.source else None,
            "target": str(listed.needed.image.by_tag),
            "digest": listed.digest or None,
            "platforms": list(listed.platforms) or None,
            "usedBy": list(listed.needed.used_by),
        }
        for listed in images
    ]


def _names(used_by: Iterable[str]) -> list[str]:
    """Without kinds and namespaces."""
    return [user.rpartition("/")[2] for user in used_by]


def _listing(words: Sequence[str]) -> str:
    return ", ".join(words) or _NOT_KNOWN


def _short(digest: str) -> str:
    return digest[:_DIGEST_SHOWN] or _NOT_KNOWN
