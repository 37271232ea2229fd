"""A shell whose folder was removed: one clear error, and completion that says nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from command_line import command, environ

_THEN = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'


def in_a_removed_folder(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    shell = ["sh", "-c", _THEN, str(folder / "gone"), *command(*arguments)]
    return subprocess.run(shell, env=environ(**variables), capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("words", ["env list", "plan --env dev", "failover --to dr", "status --all"])
def test_one_error_says_what_to_do(tmp_path: Path, words: str) -> None:
    done = in_a_removed_folder(tmp_path, *words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: the current folder cannot be used: No such file or directory.\n")
    assert "Change to one that there is" in done.stderr


def test_completion_has_nothing_to_offer(tmp_path: Path) -> None:
    asked = {"_SOHISTIO_COMPLETE": "complete_bash", "COMP_WORDS": "sohistio plan --env ", "COMP_CWORD": "3"}
    done = in_a_removed_folder(tmp_path, **asked)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_help_needs_no_folder(tmp_path: Path) -> None:
    assert in_a_removed_folder(tmp_path, "plan", "--help").returncode == 0
