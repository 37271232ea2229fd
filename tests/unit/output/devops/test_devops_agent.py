"""A process under Azure DevOps' agent: what it tells where it ends before it has begun, and where it tells nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent_reading import read

WRONG = ("plan", "--env", "qa", "--no-such-flag", "##vso[task.complete]\x1b[31m")


def started(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    mine = {key: value for key, value in os.environ.items() if not key.startswith(("SOHISTIO_", "AGENT_", "TF_"))}
    command = [sys.executable, "-m", "sohistio", *arguments]
    return subprocess.run(command, env=mine | variables, capture_output=True, text=True, check=False, timeout=120)


def test_an_error_before_anything_is_an_issue_and_has_its_page(tmp_path: Path) -> None:
    done = started(*WRONG, TF_BUILD="True", AGENT_TEMPDIRECTORY=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    log = read(done.stderr)
    ((code, message),) = log.issues("error")
    assert (code, message.startswith("sohistio plan has no option --no-such-flag")) == ("wrong-usage", True)
    page = tmp_path / "sohistio-plan.md"
    assert log.variables == {"outcome": "wrongUsage", "exitCode": "2", "environment": "", "summaryFile": str(page)}
    assert [command.message for command in log.named("task.uploadsummary")] == [str(page)]
    assert page.read_text(encoding="utf-8").startswith("# plan, wrong usage\n")
    assert log.result == ""

    again = started(*WRONG, TF_BUILD="True", AGENT_TEMPDIRECTORY=str(tmp_path))
    assert read(again.stderr).variables["summaryFile"] == str(tmp_path / "sohistio-plan-2.md")
    outside = started(*WRONG)
    assert outside.stderr.splitlines() == [line for line in log.lines if line], "elsewhere it is the same without"


def test_without_a_folder_of_the_agent_it_is_the_state_folder(tmp_path: Path) -> None:
    done = started(*WRONG, TF_BUILD="True", AGENT_TEMPDIRECTORY="not/absolute", XDG_STATE_HOME=str(tmp_path))
    assert read(done.stderr).variables["summaryFile"] == str(tmp_path / "sohistio" / "pipeline" / "sohistio-plan.md")


def test_a_document_stays_clean(tmp_path: Path) -> None:
    done = started(*WRONG, "--output", "json", TF_BUILD="True", AGENT_TEMPDIRECTORY=str(tmp_path))
    assert read(done.stdout).commands == []
    assert done.stdout.startswith("{\n")
    assert done.stdout.endswith("}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("aks-token", "--no-such-flag"), id="kubectl-reads-its-stderr"),
        pytest.param(("version",), id="nothing-to-tell"),
        pytest.param(("--help",), id="help"),
    ],
)
def test_nothing_is_told(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = started(*arguments, TF_BUILD="True", AGENT_TEMPDIRECTORY=str(tmp_path))
    log = read(done.stdout, done.stderr)
    assert (log.commands, log.formats, list(tmp_path.iterdir())) == ([], [], [])
