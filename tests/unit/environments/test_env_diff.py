"""How two environments differ in their files: `sohistio env diff`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from typer.testing import CliRunner

from sohistio.commands.env import group_for
from terminal import shown_on_terminal

SHIPPED = Path(__file__).parents[3] / "environments"
VARIABLES = {"SOHISTIO_IP_PREFIX": "10.20", "SOHISTIO_SUBSCRIPTION": "11111111-2222-4333-8444-555555555555"}


def diff(one: str, other: str) -> str:
    done = CliRunner().invoke(group_for(), ["diff", one, other, "--environments", str(SHIPPED)], env=VARIABLES)
    assert done.exit_code == 0, done.output
    return done.output


def test_each_key_that_differs_is_a_line() -> None:
    shown = diff("qa", "prod")
    assert "environment.yaml, qa → prod: " in shown
    assert "  ingressAddress: 10.20.20.188 → 10.20.20.221\n" in shown


def test_an_environment_is_as_it_is() -> None:
    files = ("environment.yaml", "istiooperator.yaml")
    assert diff("dr", "dr") == "".join(f"{file}, dr → dr: no differences\n" for file in files)


def test_a_narrow_terminal_folds_long_lines_and_cuts_nothing() -> None:
    columns = 40
    command = [sys.executable, "-m", "sohistio", "env", "diff", "qa", "prod", "--environments", str(SHIPPED)]
    plain = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
    code, shown = shown_on_terminal(command, columns, {**plain, **VARIABLES, "TERM": "xterm", "NO_COLOR": "1"})
    assert code == 0
    lines = shown.splitlines()
    assert max(map(len, lines)) <= columns
    whole = diff("qa", "prod")
    assert max(map(len, whole.splitlines())) > columns, "a pipe's lines are as long as they are"
    assert "".join("".join(lines).split()) == "".join(whole.split())
