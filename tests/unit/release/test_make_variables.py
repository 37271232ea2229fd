"""What is given to make is text: no shell runs it, nor does make itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[3] / "Makefile"
GIVEN = ("VERSION", "ENVIRONMENT", "CONFIRM", "PREVIOUS", "REPORT")
# Stands for Python: says what it is given.
_SAYS = f"""#!/bin/sh
for word in "$@"; do printf '<%s>\\n' "$word"; done
env | grep -E '^({"|".join(GIVEN)})=' | sort
exit 0
"""
HOSTILE = [
    "0.1.0; touch ran",
    "$(shell touch ran)",
    "$$(touch ran)",
    "`touch ran`",
    "' ; touch ran ; '",
    '" ; touch ran ; "',
    "a  b",
    "--option",
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Where all is set up."""
    shutil.copy(MAKEFILE, tmp_path)
    (tmp_path / "requirements").mkdir()
    for name in ("requirements/dev.txt", "requirements/release.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text(_SAYS)
    python.chmod(0o755)
    for name in (".installed", ".release"):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


def make(checkout: Path, target: str, *given: str, **variables: str) -> list[str]:
    # The tests are run by a make, too, which tells those below it.
    others = {*GIVEN, "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"}
    kept = {key: value for key, value in os.environ.items() if key not in others}
    done = subprocess.run(
        (shutil.which("make") or "make", target, *given),
        cwd=checkout,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not (checkout / "ran").exists()
    return done.stdout.splitlines()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_version_is_one_word_as_it_was_given(checkout: Path, text: str) -> None:
    said = make(checkout, "release", f"VERSION={text}")
    assert said[:3] == ["<release/make_release.py>", f"<{text}>", f"VERSION={text}"]
    assert make(checkout, "release", VERSION=text) == said


def test_without_a_version_it_is_the_programs_own(checkout: Path) -> None:
    assert make(checkout, "release")[:2] == ["<release/make_release.py>", "<>"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_the_acceptance_reads(checkout: Path, text: str) -> None:
    given = [f"{name}={text}" for name in GIVEN]
    assert make(checkout, "acceptance-aks", *given) == ["<demo/acceptance.py>", *sorted(given)]


def test_what_is_not_given_is_not_there(checkout: Path) -> None:
    assert make(checkout, "acceptance-aks", "ENVIRONMENT=a") == ["<demo/acceptance.py>", "ENVIRONMENT=a"]
