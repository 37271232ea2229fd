"""A name that is not known gets the nearest that is, wherever a name is given; nothing was touched."""

from __future__ import annotations

import json

import pytest

from command_line import run

LOCAL = ("--env", "local")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("plan", "--env", "lcoal"), "local"),
        (("history", "--env", "pord"), "prod"),
        (("env", "show", "rd"), "dr"),
        (("env", "diff", "qa", "pord"), "prod"),
        (("failover", "--to", "rd"), "dr"),
        (("sync", "--from", "pord", "--to", "dr"), "prod"),
        (("install", *LOCAL, "--skip-check", "gatway-address"), "gateway-address"),
        (("install", *LOCAL, "--mode", "upgarde"), "upgrade"),
        (("plan", *LOCAL, "--auth", "azur-cli"), "azure-cli"),
        (("plan", *LOCAL, "--output", "jsno"), "json"),
        (("egress", "allow", *LOCAL, "--host", "a.example.com", "--tls", "passtrough"), "passthrough"),
        (("failover", "--to", "dr", "--accept", "failover-prob", "--because", "x"), "failover-probes"),
        (("bundle", *LOCAL, "--out", "b.tar", "--platform", "linux-amd46"), "linux-amd64"),
        (("plan", "--enviroments", "x"), "--environments"),
        (("instal",), "install"),
        (("env", "shwo"), "show"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_what_was_meant(arguments: tuple[str, ...], meant: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert f"What to do: Did you mean {meant}? " in done.stderr


def test_an_option_without_its_value_leads_to_the_help_of_its_command() -> None:
    done = run("env", "list", "--environments")
    assert done.returncode == 2
    assert "What to do: `sohistio env list --help` says what it takes." in done.stderr


def test_what_was_meant_as_json() -> None:
    done = run("plan", "--env", "lcoal", "--output", "json")
    assert json.loads(done.stdout)["error"]["todo"].startswith("Did you mean local? Known environments in ")
