"""How an edited file differs, as lines."""

from __future__ import annotations


def file_diff(file: str, before: str, after: str) -> list[str]:
    """Unified; how lines end is not shown."""
    import difflib

    return list(difflib.unified_diff(before.splitlines(), after.splitlines(), file, file, lineterm=""))
