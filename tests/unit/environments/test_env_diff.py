"""How two environments differ in their files: `sohistio env diff`."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from sohistio.commands.env import group_for

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
