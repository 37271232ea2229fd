"""Every command in a code block of the documentation is run: here, or by the test that is named here.

Those of docs/reference are the examples of help, which tests/unit/commands hold.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes import CHECKOUT, Sandbox

pytestmark = pytest.mark.e2e

_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
# What follows a command on its line: a comment, a column of explanation, a pipe, a file.
_REST = re.compile(r"\s+#.*|\s{3,}.*|\s+\|.*|\s+>.*|\s+\\$")
# By their first words, with the file whose stories run them. They change a mesh that is not theirs to change here, or
# need two sandboxes, traffic, a kubelet or a login to Azure.
ELSEWHERE = {
    "adopt": "test_adopt.py",
    "dashboard": "test_monitoring.py",
    "failback": "test_moving_traffic.py",
    "failover": "test_moving_traffic.py",
    "install --env local --component-timeout": "test_rollouts.py",
    "install --env local --include-ca": "test_backup.py",
    "istioctl --env local -- proxy-": "test_istioctl_passed_on.py",
    "istioctl --env local --version": "test_istioctl_passed_on.py",
    "promote": "test_promote.py",
    "restore": "test_backup.py",
    "rollback": "test_upgrade.py",
    "sandbox": "test_sandbox.py",
    "status --watch": "test_fleet.py",
    "support-bundle": "test_support_bundle.py",
    "sync": "test_sync.py",
    "uninstall": "test_uninstalling.py",
    "unlock": "test_lock.py",
}
"""Words of a command → a file of this folder."""


def documented() -> Iterator[tuple[str, str]]:
    """File and command, with `local` for the environments that only an AKS cluster has."""
    for file in (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))):
        for block in _BLOCK.findall(file.read_text(encoding="utf-8")):
            for line in block.splitlines():
                command = _REST.sub("", line.strip().removeprefix("$ "))
                if command.startswith("sohistio "):
                    words = command.removeprefix("sohistio ").replace(" -e ", " --env ")
                    yield file.name, " ".join(re.sub(r"--env (qa|prod|dev)\b", "--env local", words).split())


COMMANDS = dict.fromkeys(command for _, command in documented())


def is_elsewhere(command: str) -> bool:
    return any(command.startswith(words) for words in ELSEWHERE)


def test_the_tests_named_for_the_others_are_there() -> None:
    assert not [words for words in ELSEWHERE if not any(command.startswith(words) for command in COMMANDS)]
    for words, file in ELSEWHERE.items():
        text = (Path(__file__).parent / file).read_text(encoding="utf-8")
        for word in words.replace("--env local", "").split():
            assert word.strip("-") in text, f"{file} has no {word}"


def test_they_run_as_they_are_written(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox = empty_sandbox
    here = sorted((command for command in COMMANDS if not is_elsewhere(command)), key=_in_order)
    assert here[0] == "env init", "the folder that all others use"
    assert here[1].startswith("install")
    assert len(here) > 20
    for command in here:
        done = sandbox.run(*shlex.split(command), cwd=tmp_path, SOHISTIO_ENV="local")
        assert done.returncode == 0, f"sohistio {command}\n{done.stdout}{done.stderr}"


def _in_order(command: str) -> tuple[bool, bool]:
    return command != "env init", not command.startswith("install")
