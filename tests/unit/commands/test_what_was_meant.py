"""A name that is not known gets the nearest that is, wherever a name is given; nothing was touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
LOCAL = ("--env", "local")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    mine = {name: text for name, text in os.environ.items() if not name.startswith("SOHISTIO_")}
    ours = {
        "KUBECONFIG": os.devnull,
        "SOHISTIO_CONFIG": os.devnull,
        "SOHISTIO_IP_PREFIX": "10.20",
        "SOHISTIO_SUBSCRIPTION": "11111111-2222-4333-8444-555555555555",
    }
    command = [sys.executable, "-m", "sohistio", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, env=mine | ours, capture_output=True, text=True, check=False, timeout=120
    )


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


def test_what_was_meant_as_json() -> None:
    done = run("plan", "--env", "lcoal", "--output", "json")
    assert json.loads(done.stdout)["error"]["todo"].startswith("Did you mean local? Known environments: ")
