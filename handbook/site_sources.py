"""What the site is made from: docs/ as it is, and pages for the files outside of docs/ that its pages lead to.

On a Git host those links lead to the files themselves. The site has none of them, and does not know
its repository's host.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

from markdown_links import Link, links_of, with_plain_bars, with_targets

_PAGES = ("CONTRIBUTING.md", "CHANGELOG.md")
_HOME = {"README.md": "index.md"}
_FENCES = {".yaml": "yaml", ".json": "json", ".toml": "toml", ".py": "python"}


def write_sources(root: Path, to: Path) -> None:
    """Write the sources of the site of the repository `root` to a new folder."""
    shutil.copytree(root / "docs", to)
    outside: set[str] = set()
    for page in sorted(to.rglob("*.md")):
        outside |= _rewrite(root, root / "docs" / page.relative_to(to), page)
    for name in _PAGES:
        outside |= _rewrite(root, root / name, to / site_path(name))
    while missing := {name for name in outside if not (to / site_path(name)).exists()}:
        for name in sorted(missing):
            outside |= _write_file_page(root / name, name, to / site_path(name))


def site_path(name: str) -> str:
    """Where a file of the repository is on the site, below its sources."""
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    if name in _HOME:
        return _HOME[name]
    return name.lower() if name in _PAGES else f"files/{name}.md"


def _rewrite(root: Path, source: Path, page: Path) -> set[str]:
    """Write a page with its links as the site has them. Gives the files outside of docs/ that they lead to."""
    text = source.read_text(encoding="utf-8")
    here = source.parent.relative_to(root).as_posix()
    names = {_name(here, link) for link in links_of(text) if link.path and not link.is_elsewhere}

    def target(link: Link) -> str:
        if link.is_elsewhere or not link.path:
            return link.target
        to = os.path.relpath(
            site_path(_name(here, link)), PurePosixPath(site_path(_name(here, Link(0, source.name)))).parent
        )
        return f"{to}#{link.anchor}" if link.anchor else to

    page.write_text(with_plain_bars(with_targets(text, target)), encoding="utf-8")
    return {name for name in names if not name.startswith("docs/")}


def _name(here: str, link: Link) -> str:
    """The file of the repository that a link leads to, from its root."""
    return os.path.normpath(f"{here}/{link.path}")


def _write_file_page(path: Path, name: str, page: Path) -> set[str]:
    """A page that shows a file, or lists a folder's. Gives the files that it leads to."""
    page.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        below = sorted(file for file in path.iterdir() if file.is_file())
        text = "".join(f"- [{file.name}]({page.stem}/{file.name}.md)\n" for file in below)
        page.write_text(f"# {name}\n\n{text}", encoding="utf-8")
        return {f"{name}/{file.name}" for file in below}
    text = path.read_text(encoding="utf-8")
    page.write_text(f"# {name}\n\n````{_FENCES.get(path.suffix, 'text')}\n{text}\n````\n", encoding="utf-8")
    return set()
