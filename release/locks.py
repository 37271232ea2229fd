"""What a lock of pip-compile says: packages, their versions and hashes, and who wants each.

requirements/pipeline.txt locks what sohistio runs on together with what builds it; who
wants a package tells them apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LOCK = "requirements/pipeline.txt"
PROJECT = "sohistio"
_PACKAGE = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^\s\\;]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
_VIA = re.compile(r"^    #\s+(?:via\s+)?(?P<who>\S.*)$")


@dataclass(frozen=True)
class Locked:
    """A package of a lock. `hashes` are SHA-256, one for each file of the version; `wanted_by` names packages, or
    sohistio's own list as `sohistio (pyproject.toml)`."""

    name: str
    version: str
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]


class LockError(Exception):
    """A lock that cannot be read: says the file, the line and what to do."""


def locked_in(path: Path) -> list[Locked]:
    """All packages of a lock, in its order. Raises LockError for one that has no version or no hash."""
    found: list[Locked] = []
    for number, block in _blocks(path.read_text(encoding="utf-8")):
        package = _PACKAGE.match(block)
        if package is None:
            raise LockError(f"{path}:{number}: not a locked version: {block.splitlines()[0]}. Run `make lock`")
        hashes = tuple(sorted(_HASH.findall(block)))
        if not hashes:
            raise LockError(f"{path}:{number}: {package['name']} has no hash. Run `make lock`")
        who = (line["who"] for line in map(_VIA.match, block.splitlines()) if line and line["who"] != "via")
        wanted_by = tuple(name for name in who if not name.startswith("-c "))
        found.append(Locked(package["name"], package["version"], hashes, wanted_by))
    return found


def runtime(root: Path) -> list[Locked]:
    """What an installed sohistio runs on: what pyproject.toml's dependencies want, and what those want, by name."""
    packages = locked_in(root / LOCK)
    reached = {f"{PROJECT} (pyproject.toml)"}
    while more := {package.name for package in packages if reached & set(package.wanted_by)} - reached:
        reached |= more
    return sorted((package for package in packages if package.name in reached), key=lambda package: package.name)


def _blocks(text: str) -> list[tuple[int, str]]:
    """A package's lines each, with the number of its first one. What is not indented and no comment begins one."""
    found: list[tuple[int, list[str]]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:1] not in ("", " ", "#"):
            found.append((number, [line]))
        elif line.startswith(" ") and found:
            found[-1][1].append(line)
    return [(number, "\n".join(lines)) for number, lines in found]
