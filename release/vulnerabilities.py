"""What pip-audit knows of a lock's packages: vulnerable, or not checked at all. pip-audit calls a run in which every
package was skipped a good one; here each package is checked or is named."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from locks import Locked

_SECONDS = 600.0


@dataclass(frozen=True)
class Verdict:
    """`vulnerable`: a line for each known vulnerability. `unchecked`: packages of which nothing is known, with why."""

    vulnerable: tuple[str, ...]
    unchecked: tuple[tuple[str, str], ...]


def asked(lock: Path, packages: list[Locked]) -> Verdict:
    """Ask the database of vulnerabilities, through pip-audit; it takes the network."""
    command = (
        *(sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"),
        *("--format", "json", "--progress-spinner", "off"),
    )
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return read("", f"no answer in {_SECONDS:.0f} s", packages)
    return read(done.stdout, done.stderr, packages)


def read(answer: str, errors: str, packages: list[Locked]) -> Verdict:
    """pip-audit's JSON as a verdict on all `packages`. Where there is none, the last line of `errors` says why."""
    try:
        entries = {entry["name"]: entry for entry in json.loads(answer)["dependencies"]}
    except (ValueError, KeyError, TypeError):
        why = (errors.strip().splitlines() or ["pip-audit gave no answer"])[-1]
        return Verdict((), tuple((package.name, why) for package in packages))
    vulnerable: list[str] = []
    unchecked: list[tuple[str, str]] = []
    for package in packages:
        entry = entries.get(package.name, {"skip_reason": "pip-audit did not mention it"})
        if "vulns" not in entry or entry.get("version") != package.version:
            unchecked.append((package.name, entry.get("skip_reason", "another version was asked for")))
            continue
        for found in entry["vulns"]:
            names = ", ".join([found["id"], *found.get("aliases", [])])
            fixed = ", ".join(found.get("fix_versions", [])) or "no version yet"
            vulnerable.append(f"{package.name} {package.version}: {names}; fixed in {fixed}")
    return Verdict(tuple(vulnerable), tuple(unchecked))


def report(verdict: Verdict, total: int) -> list[str]:
    """What a person reads of it."""
    lines = [f"VULNERABLE: {line}" for line in verdict.vulnerable]
    if verdict.unchecked:
        name, why = verdict.unchecked[0]
        lines += [
            f"NOT CHECKED: {len(verdict.unchecked)} of {total} packages, so nothing is known of them ({name}: {why}).",
            "Run `make audit` where the database of vulnerabilities can be reached: till then they are not audited.",
        ]
    elif not lines:
        lines.append(f"Vulnerabilities: none is known in all {total} packages of the lock.")
    return lines
