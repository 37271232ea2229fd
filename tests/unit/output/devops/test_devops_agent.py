"""A process under Azure DevOps' agent: what it tells where it ends before it has begun, and where it tells nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_reading import read
from command_line import run

WRONG = ("plan", "--env", "qa", "--no-such-flag", "##vso[task.complete]\x1b[31m")


def test_an_error_before_anything_is_an_issue_and_has_its_page(tmp_path: Path) -> None:
    done = run(*WRONG, TF_BUILD="True", AGENT_TEMPDIRECTORY=str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    log = read(done.stderr)
    ((code, message),) = log.issues("error")
    assert (code, message.startswith("sohistio plan has no option --no-such-flag")) == ("wrong-usage", True)
    page = tmp_path / "sohistio-plan.md"
    assert log.variables == {"outcome": "wrongUsage", "exitCode": "2", "environment": "", "summaryFile": str(page)}
    assert [command.message for command in log.named("task.uploadsummary")] == [str(page)]
    assert page.read_text(encoding="utf-8").startswith("# plan, wrong usage\n")
    assert log.result == ""

    again = run(*WRONG, TF_BUILD="True", AGENT_TEMPDIRECTORY=str(tmp_path))
    assert read(again.stderr).variables["summaryFile"] == str(tmp_path / "sohistio-plan-2.md")
    outside = run(*WRONG)
    assert outside.stderr.splitlines() == [line for line in log.lines if line], "elsewhere it is the same without"


def test_without_a_folder_of_the_agent_it_is_the_state_folder(tmp_path: Path) -> None:
    done = run(*WRONG, TF_BUILD="True", AGENT_TEMPDIRECTORY="not/absolute", XDG_STATE_HOME=str(tmp_path))
    assert read(done.stderr).variables["summaryFile"] == str(tmp_path / "sohistio" / "pipeline" / "sohistio-plan.md")


def test_a_document_stays_clean(tmp_path: Path) -> None:
    done = run(*WRONG, "--output", "json", TF_BUILD="True", AGENT_TEMPDIRECTORY=str(tmp_path))
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
    done = run(*arguments, TF_BUILD="True", AGENT_TEMPDIRECTORY=str(tmp_path))
    log = read(done.stdout, done.stderr)
    assert (log.commands, log.formats, list(tmp_path.iterdir())) == ([], [], [])
