"""A version's section of CHANGELOG.md, which becomes its release notes."""

from __future__ import annotations

import re

_DATED = re.compile(r" - \d{4}-\d{2}-\d{2}\s*$")


class ChangelogError(Exception):
    """The changelog is not ready for this version: says what is missing, and what to write."""


def section_of(text: str, version: str) -> str:
    """What stands below `## [version] - date`. Raises ChangelogError if it is not there, has no date, or is empty."""
    begin = f"## [{version}]"
    lines = text.splitlines()
    at = next((number for number, line in enumerate(lines) if line.startswith(begin)), None)
    if at is None:
        raise ChangelogError(
            f"CHANGELOG.md has no section {version}: give [Unreleased] its name, `{begin} - YYYY-MM-DD`"
        )
    if not _DATED.match(lines[at].removeprefix(begin)):
        raise ChangelogError(f"CHANGELOG.md:{at + 1}: the section has no date: write `{begin} - YYYY-MM-DD`")
    end = next((number for number in range(at + 1, len(lines)) if lines[number].startswith("## ")), len(lines))
    section = "\n".join(lines[at + 1 : end]).strip()
    if not any(line.startswith("- ") for line in section.splitlines()):
        raise ChangelogError(f"CHANGELOG.md:{at + 1}: the section of {version} says nothing: write what changed")
    return section + "\n"
