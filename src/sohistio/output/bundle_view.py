"""A bundle as people and pipelines read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from sohistio.adapters.releases.cache_folder import mebibytes
from sohistio.model.bundle import Contents
from sohistio.output.fitted import Fitted
from sohistio.planning.bundle import BundlePlan


def bundle_view(plan: BundlePlan, contents: Contents, out: Path) -> tuple[RenderableType, ...]:
    """What is in it, and how it is used."""
    rows = []
    for item in plan.images:
        platforms = ", ".join(item.content.platforms) or "one"
        name = f"{item.image.name}:{item.image.tag}"
        rows.append((name, mebibytes(item.content.bytes), platforms, item.image.digest[:19]))
    size = sum(item.size for item in contents.files.values())
    istioctl = ", ".join(map(str, plan.platforms))
    return (
        Text(f"{out}: {plan.environment}, Istio {plan.version}, {mebibytes(size)}", style="bold"),
        Fitted(("image", "size", "platforms", "digest"), rows),
        Text(f"istioctl for {istioctl}; environments and pins of {plan.environments}"),
        Text(f"`sohistio images mirror --env {plan.environment} --bundle {out}` fills its hub without the internet."),
    )


def bundle_document(plan: BundlePlan, contents: Contents, out: Path) -> dict[str, Any]:
    """As JSON."""
    return {
        "environment": plan.environment,
        "version": plan.version,
        "file": str(out),
        "bytes": sum(item.size for item in contents.files.values()),
        "platforms": [str(platform) for platform in plan.platforms],
        "images": [
            {
                "source": str(item.image.by_tag),
                "digest": item.image.digest,
                "bytes": item.content.bytes,
                "platforms": list(item.content.platforms),
            }
            for item in plan.images
        ],
    }
