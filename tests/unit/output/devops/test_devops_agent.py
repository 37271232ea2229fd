"""A process under Azure DevOps' agent: what it tells where it ends before it has begun, and where it tells nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_reading import read
from command_line import run
from sohistio.system.pipeline import on_an_agent

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


@pytest.mark.parametrize(
    ("value", "is_one"),
    [("True", True), ("true", True), ("TRUE ", True), ("False", False), ("0", False), ("1", False), ("", False)],
)
def test_an_agent_says_true(value: str, is_one: bool, tmp_path: Path) -> None:
    assert on_an_agent({"TF_BUILD": value}) is is_one
    if value in ("true", "False"):
        done = run(*WRONG, TF_BUILD=value, AGENT_TEMPDIRECTORY=str(tmp_path))
        assert bool(read(done.stderr).commands) is bool(list(tmp_path.iterdir())) is is_one


def test_the_environment_that_is_named_is_said_where_nothing_was_got_to(tmp_path: Path) -> None:
    done = run("failover", "--to", "qa", TF_BUILD="True", AGENT_TEMPDIRECTORY=str(tmp_path))
    assert (done.returncode, read(done.stderr).variables["environment"]) == (2, "qa"), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["sohistio-failover-qa.md"]
