"""bandit over src, licences, known vulnerabilities of the locked packages. Run by `make audit`.

Exit code 1: something was found. 3: nothing was found, and not everything could be checked.
"""

from __future__ import annotations

import json
import subprocess
import sys

import licences
from locks import LOCK, LockError, locked_in
from vulnerabilities import asked, report

ROOT = licences.ROOT
_SECONDS = 600.0


def main() -> int:
    """All three, whatever one of them says. Gives the exit code."""
    codes = [_bandit(), licences.main(), _vulnerabilities()]
    return 1 if 1 in codes else max(codes)


def _bandit() -> int:
    command = (sys.executable, "-m", "bandit", "-q", "-c", "pyproject.toml", "-r", "src", "-f", "json")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        print(f"bandit failed: {done.stderr.strip()}", file=sys.stderr)
        return 1
    lines = [f"{one['filename']}: {one['reason']}" for one in answer["errors"]]
    for one in answer["results"]:
        lines.append(f"{one['filename']}:{one['line_number']}: {one['test_id']} {one['issue_text']}")
    print("\n".join(lines) or f"bandit: nothing found in {answer['metrics']['_totals']['loc']} lines of src.")
    return 1 if lines else 0


def _vulnerabilities() -> int:
    try:
        packages = locked_in(ROOT / LOCK)
    except LockError as error:
        print(error, file=sys.stderr)
        return 1
    verdict = asked(ROOT / LOCK, packages)
    print("\n".join(report(verdict, len(packages))))
    if verdict.vulnerable:
        return 1
    return 3 if verdict.unchecked else 0


if __name__ == "__main__":
    sys.exit(main())
