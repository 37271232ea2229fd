"""The site's navigation: each page of docs/ has its place in it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from site_sources import site_path

CONFIGURATION = Path(__file__).parent / "zensical.toml"
_OUTSIDE = ("CONTRIBUTING.md", "CHANGELOG.md")


def listed() -> list[str]:
    """The pages of the navigation, in its order, by their path on the site."""
    configuration = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))
    return list(_pages_of(configuration["project"]["nav"]))


def problems_of_navigation(root: Path) -> list[str]:
    """The pages that are missing in it, listed twice, or not there, a line each."""
    pages = listed()
    there = {page.relative_to(root / "docs").as_posix() for page in (root / "docs").rglob("*.md")}
    there |= {site_path(name) for name in _OUTSIDE}
    missing = [f"docs/{page}: add a line to `nav` of handbook/zensical.toml" for page in sorted(there - set(pages))]
    wrong = [page for number, page in enumerate(pages) if page not in there or page in pages[:number]]
    return missing + [f"handbook/zensical.toml: {page} is not there, or is listed twice" for page in wrong]


def _pages_of(entries: list[Any]) -> Iterator[str]:
    for entry in entries:
        for below in entry.values():
            if isinstance(below, str):
                yield below
            else:
                yield from _pages_of(below)
