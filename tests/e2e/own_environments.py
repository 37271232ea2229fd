"""Environments of a test's own: a copy of the shipped ones whose `local` has other keys."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from sandboxes import CHECKOUT


def own_environments(folder: Path, **changes: Any) -> tuple[str, ...]:
    """The flags that choose them; keys of `istio` are laid over the shipped ones, all others replace them."""
    copy = shutil.copytree(CHECKOUT / "environments", folder / f"environments-{len(list(folder.iterdir()))}")
    file = copy / "local" / "environment.yaml"
    shipped = yaml.safe_load(file.read_text())
    changes["istio"] = shipped["istio"] | changes.get("istio", {})
    file.write_text(yaml.safe_dump(shipped | changes))
    return ("--env", "local", "--environments", str(copy))
