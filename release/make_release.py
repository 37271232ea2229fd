"""What is published of a version, into dist/release: wheel, bill of materials, notes, checksums. For `make release`.

It refuses (exit 3, nothing written) a checkout that differs from its commit, a version that the program does not have,
and a changelog that says nothing of it.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from changelog import ChangelogError, section_of
from licences import LicenceError, licences
from locks import PROJECT, LockError, runtime
from sbom import Product, bill_of_materials
from wheels import WheelError, built_twice, git, sha256

ROOT = Path(__file__).parent.parent
TO = ROOT / "dist" / "release"
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


class RefusedError(Exception):
    """No release can be made of this checkout: says why, and what to do."""


def main(arguments: list[str]) -> int:
    """Make the release of the version given, or of the program's own. Gives the exit code."""
    try:
        version = _version(arguments[0] if arguments else "")
        _refuse_what_is_not_committed()
        notes = section_of((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
        packages = runtime(ROOT)
        found = licences(packages)
    except (RefusedError, ChangelogError, LicenceError, LockError) as error:
        print(f"Refused: {error}. Nothing was written.", file=sys.stderr)
        return 3
    licence = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"]
    shutil.rmtree(TO, ignore_errors=True)  # an earlier one must not look like this one's, should this fail
    with tempfile.TemporaryDirectory() as temporary:
        try:
            wheel = built_twice(ROOT, Path(temporary))
        except WheelError as error:
            print(f"Failed: {error}", file=sys.stderr)
            return 1
        product = Product(version, licence, wheel.name, sha256(wheel))
        TO.mkdir(parents=True)
        shutil.copyfile(wheel, TO / wheel.name)
    (TO / f"{PROJECT}-{version}.cdx.json").write_text(bill_of_materials(product, packages, found), encoding="utf-8")
    (TO / f"{PROJECT}-{version}.md").write_text(notes, encoding="utf-8")
    files = sorted(TO.iterdir())
    (TO / "SHA256SUMS").write_text("".join(f"{sha256(file)}  {file.name}\n" for file in files), encoding="utf-8")
    print(f"{PROJECT} {version}, built twice with the same digest, in {TO.relative_to(ROOT)}:")
    print((TO / "SHA256SUMS").read_text(encoding="utf-8"), end="")
    return 0


def _version(asked: str) -> str:
    """The version to release. Raises RefusedError if that is not what the program says of itself."""
    found = _VERSION.search((ROOT / "src" / PROJECT / "__init__.py").read_text(encoding="utf-8"))
    if found is None:
        raise RefusedError(f"src/{PROJECT}/__init__.py has no line `__version__ = …`")
    if asked not in ("", found[1]):
        raise RefusedError(f"this is {found[1]}, not {asked}: change it in src/{PROJECT}/__init__.py and commit that")
    return found[1]


def _refuse_what_is_not_committed() -> None:
    try:
        changed = git(ROOT, "status", "--porcelain").decode(errors="replace").splitlines()
    except WheelError as error:
        raise RefusedError(f"{error}: a release is made of a commit") from error
    if changed:
        shown = ", ".join(line[3:] for line in changed[:5]) + (" …" if len(changed) > 5 else "")
        raise RefusedError(f"this checkout differs from its commit ({shown}): commit or remove that")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
