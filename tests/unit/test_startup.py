"""What starts quickly stays quick: help and flags load nothing that is heavy."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

HEAVY = {
    "azure",
    "dns",
    "grafana_foundation_sdk",
    "httpx",
    "kubernetes",
    "pydantic",
    "rich.live",
    "ruamel",
    "tenacity",
    "urllib3",
    "yaml",
}
# Typer reads the parameters of a command with pydantic.
HEAVY_FOR_A_COMMAND = HEAVY - {"pydantic"}
_LOADED = """
import sys
from sohistio.__main__ import main
try:
    main()
except SystemExit as end:
    print(end.code, *sorted(sys.modules), sep="\\n", file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), HEAVY),
        (("install", "--help"), HEAVY_FOR_A_COMMAND),
        (("env", "--help"), HEAVY_FOR_A_COMMAND),
        (("egress", "allow", "--help"), HEAVY_FOR_A_COMMAND),
        (("sandbox", "up", "--help"), HEAVY_FOR_A_COMMAND),
        (("version",), HEAVY_FOR_A_COMMAND),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_help_loads_nothing_heavy(arguments: tuple[str, ...], heavy: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    code, *loaded = done.stderr.splitlines()
    assert code == "0", done.stderr
    assert done.stdout
    assert heavy & set(loaded) == set()


def test_on_an_agent_nothing_of_plans_is_loaded_where_there_is_nothing_to_tell() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, "version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"TF_BUILD": "True"},
    )
    code, *loaded = done.stderr.splitlines()
    assert code == "0", done.stderr
    assert "sohistio.output.devops.agent" in loaded
    assert not {name for name in loaded if name.startswith(("sohistio.output.devops.facts", "sohistio.plan."))}


def test_help_names_every_command() -> None:
    done = subprocess.run([sys.executable, "-m", "sohistio", "--help"], capture_output=True, text=True, check=True)
    for command in ("plan", "install", "restart", "verify", "render", "env", "sandbox"):
        assert f"\n  {command} " in done.stdout


def test_a_command_loads_no_other_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, "history", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stderr.splitlines())
    assert "sohistio.commands.history" in loaded
    assert {"sohistio.commands.install", "sohistio.commands.sandbox"} & loaded == set()
