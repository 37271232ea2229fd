"""Builds the site into dist/handbook/site and checks its links. Run by `make docs`; nothing is fetched."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from html_links import problems_of
from markdown_links import broken_links, pages_of
from navigation import CONFIGURATION, problems_of_navigation
from site_sources import write_sources

HERE = Path(__file__).parent
ROOT = HERE.parent
FOLDER = ROOT / "dist" / "handbook"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def main() -> int:
    """Build and check. Gives the exit code."""
    problems = broken_links(ROOT, pages_of(ROOT)) + problems_of_navigation(ROOT)
    if not problems:
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        write_sources(ROOT, FOLDER / "docs")
        shutil.copy(CONFIGURATION, FOLDER)
        shutil.copy(HERE / "site.css", FOLDER / "docs")
        command = (sys.executable, "-m", "zensical", "build", "--strict")
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300)
        words = [_COLOUR.sub("", done.stdout + done.stderr).strip()]
        problems = words if done.returncode else problems_of(FOLDER / "site")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    pages = len(list((FOLDER / "site").rglob("*.html")))
    print(f"{pages} pages, every link checked: {(FOLDER / 'site' / 'index.html').relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
