"""The licences of what sohistio runs on, each on the list of permitted ones, in docs/licences.md: `make licences`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from locks import Locked, LockError, runtime

ROOT = Path(__file__).parent.parent
PAGE = "docs/licences.md"
# All of them let sohistio be used, changed and passed on beside them under its own licence.
PERMITTED = {
    "Apache-2.0": "permissive, with a grant of patents",
    "BSD-2-Clause": "permissive",
    "BSD-3-Clause": "permissive",
    "ISC": "permissive",
    "MIT": "permissive",
    "MIT-0": "permissive, asks for nothing",
    "MPL-2.0": "changed files of the package itself stay under it; sohistio changes none, and ships none",
    "PSF-2.0": "permissive",
}
# Older metadata has a licence in words. Words that are not here ("BSD License": which of them?) are not known.
_WORDS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
# Where metadata says too little: what this version's licence file says, read by a person.
_READ = {("isodate", "0.7.2"): "BSD-3-Clause"}
_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True)
class Said:
    """What a package's metadata says of its licence: `License-Expression`, `License`, and the classifiers."""

    expression: str = ""
    licence: str = ""
    classifiers: tuple[str, ...] = ()


class LicenceError(Exception):
    """Licences that are not permitted, not known, or cannot be read here. A line for each, with what to do."""


def licences(packages: list[Locked]) -> dict[str, str]:
    """Each package's licence as an SPDX expression, by its name. Raises LicenceError: all that is wrong at once."""
    found: dict[str, str] = {}
    problems: list[str] = []
    for package in packages:
        try:
            found[package.name] = licence_of(package, _said(package))
        except LicenceError as error:
            problems.append(str(error))
        else:
            problems += problems_of(package, found[package.name])
    if problems:
        raise LicenceError("\n".join(problems))
    return found


def licence_of(package: Locked, said: Said) -> str:
    """The SPDX expression of a package's licence; empty if its metadata does not say it in words that are known.

    In the order of trust: what a person read, `License-Expression`, `License`, the classifiers (all must be known;
    several are taken as AND, the strictest reading).
    """
    read = _READ.get((package.name, package.version))
    if read or said.expression:
        return read or _expression(said.expression)
    if known := _expression(said.licence):
        return known
    named = [line.removeprefix(_CLASSIFIER) for line in said.classifiers if line.startswith("License :: ")]
    expressions = {_WORDS.get(name, "") for name in named}
    return " AND ".join(sorted(expressions)) if "" not in expressions else ""


def problems_of(package: Locked, licence: str) -> Iterator[str]:
    """Why a package's licence does not do, if it does not."""
    name = f"{package.name} {package.version}"
    if not licence:
        yield f"{name}: its metadata names no known licence; read its licence file, then add it to release/licences.py"
    elif not is_permitted(licence):
        yield f"{name}: {licence} is not permitted (PERMITTED in release/licences.py); take another package"


def is_permitted(expression: str) -> bool:
    """Whether one choice of an expression has permitted licences only.

    What mixes AND with OR, or has WITH or parentheses, is not judged here, so it is not permitted.
    """
    words = expression.split()
    if {"AND", "OR"} <= set(words):
        return False
    parts = expression.replace(" OR ", " AND ").split(" AND ")
    return (any if "OR" in words else all)(part in PERMITTED for part in parts)


def page(packages: list[Locked], found: Mapping[str, str]) -> str:
    """docs/licences.md."""
    lines = [
        "# Licences",
        "",
        "sohistio is under the [Apache License 2.0](../LICENSE). These are the packages that it runs on, as locked in",
        "[requirements/pipeline.txt](../requirements/pipeline.txt), with the licence that each one's metadata names.",
        "Made by `make licences`; a test compares them, and refuses a licence that is not permitted.",
        "",
        "| package | version | licence |",
        "|---|---|---|",
        *(f"| {package.name} | {package.version} | {found[package.name]} |" for package in packages),
        "",
        "## Permitted",
        "",
        "Where a package offers a choice (`OR`), one of the licences must be permitted; else all of them.",
        "",
        "| licence | |",
        "|---|---|",
        *(f"| {licence} | {why} |" for licence, why in PERMITTED.items()),
    ]
    return "\n".join(lines) + "\n"


def _said(package: Locked) -> Said:
    """The metadata of a package as it is installed here. Raises LicenceError unless that is the locked version."""
    try:
        fields = metadata(package.name)
    except PackageNotFoundError:
        raise LicenceError(f"{package.name} {package.version}: not installed here; run `make setup`") from None
    if fields["Version"] != package.version:
        raise LicenceError(f"{package.name} {package.version}: {fields['Version']} is installed; run `make setup`")
    expression, licence = ((fields.get_all(name) or [""])[0] for name in ("License-Expression", "License"))
    return Said(expression, licence, tuple(fields.get_all("Classifier") or ()))


def _expression(text: str) -> str:
    """The SPDX expression that a text is, or that its words stand for; empty for anything else."""
    try:
        return canonicalize_license_expression(_WORDS.get(text, text))
    except InvalidLicenseExpression:
        return ""


def main() -> int:
    """Write the page if it differs. Gives the exit code: 1 if a licence is not permitted or not known."""
    try:
        packages = runtime(ROOT)
        text, path = page(packages, licences(packages)), ROOT / PAGE
    except (LockError, LicenceError) as error:
        print(error, file=sys.stderr)
        return 1
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(PAGE)
    print(f"Licences: all {len(packages)} packages that sohistio runs on have a permitted one.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
