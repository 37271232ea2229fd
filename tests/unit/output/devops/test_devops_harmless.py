"""What goes wrong on the way to Azure DevOps' agent is a note; the work and its exit code stay what they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from plans import UPGRADE
from sohistio.errors import FailedError
from sohistio.output.devops.agent import Agent
from sohistio.output.devops.facts import Facts
from sohistio.output.devops.reporter import DevOpsReport
from sohistio.output.run_report import RunReport
from sohistio.run.progress import RunResult, StepResult, StepState

NOTE = "Note: Azure DevOps was not told everything; report it, please: AttributeError"
# A process of a user that this machine does not know, without HOME.
NOBODY = """
import pwd
import sys

def unknown(number):
    raise KeyError(number)

pwd.getpwuid = unknown
from sohistio.__main__ import main

sys.argv = ["sohistio", *sys.argv[1:]]
main()
"""


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Agent:
    """Its facts are broken: whatever is added to them raises."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = Agent(tmp_path, "install")
    found.facts = cast(Facts, None)
    return found


def test_a_finished_run_is_reported_all_the_same(agent: Agent, capsys: pytest.CaptureFixture[str]) -> None:
    steps = tuple(StepResult(step, StepState.DONE, 1.0) for step in UPGRADE.steps)
    report = DevOpsReport(RunReport(stderr=False), agent)
    report.plan(UPGRADE)
    report.result(RunResult(UPGRADE, steps, (), None, 12.3))
    said = capsys.readouterr()
    assert "environment  qa\n" in said.out
    assert "\nqa: Istio 1.31.1 is in place and verified" in said.out
    assert said.err.count(NOTE) == 2


def test_so_is_an_error(agent: Agent, capsys: pytest.CaptureFixture[str]) -> None:
    agent.error(FailedError("it broke"))
    assert capsys.readouterr().err.count(NOTE) == 1


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        pytest.param({}, 2, "Error: there is no home folder for the files of sohistio.", id="alone"),
        pytest.param(
            {"TF_BUILD": "True"},
            0,
            "Note: Azure DevOps was not told everything; there is no home folder for the files of sohistio. Set HOME",
            id="in-a-pipeline",  # where nobody's defaults are read
        ),
    ],
)
def test_without_a_home_folder(variables: dict[str, str], code: int, said: str) -> None:
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("SOHISTIO_", "XDG_", "AGENT_", "TF_"))
    }
    kept.pop("HOME", None)
    done = subprocess.run(
        [sys.executable, "-c", NOBODY, "env", "list"],
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
