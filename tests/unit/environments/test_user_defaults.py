"""A person's own defaults: what the file may say, and what is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import typer.main

from sohistio.cli import app_for
from sohistio.environments.user_defaults import KEYS, NO_DEFAULT, user_defaults
from sohistio.errors import UsageError


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.touch(mode=0o600)
    return path


def test_a_file(config: Path) -> None:
    config.write_text(
        "# mine\nenv: qa\nenvironments: ../mesh/environments\nauth: azure-cli\noutput: table\n"
        "timeout: 30m\ncomponentTimeout: ${EACH}\n"
    )
    assert user_defaults(config, {"EACH": "5m"}) == {
        "env": "qa",
        "environments": str(config.parent / "../mesh/environments"),
        "auth": "azure-cli",
        "output": "table",
        "timeout": "30m",
        "componentTimeout": "5m",
    }


@pytest.mark.parametrize(("written", "folder"), [("~/mesh", Path.home() / "mesh"), ("/srv/mesh", Path("/srv/mesh"))])
def test_a_folder_elsewhere(config: Path, written: str, folder: Path) -> None:
    config.write_text(f"environments: {written}\n")
    assert user_defaults(config, {}) == {"environments": str(folder)}


def test_no_defaults(config: Path) -> None:
    assert user_defaults(config, {}) == {}
    assert user_defaults(Path(os.devnull), {}) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("yes: true", "1: yes: approves or decides something, so it has no default"),
        ("confirm: prod", "1: confirm: approves or decides something"),
        ("env: qa\nskip-check: [capacity]", "2: skip-check: approves or decides something"),
        ("--because: x", "1: --because: approves or decides something"),
        ("include_ca: true", "1: include_ca: approves or decides something"),
        ("version: 1.31.1", "1: version: approves or decides something"),
        ("context: aks-qa", "1: context: names one cluster, and as a default would be taken for every environment"),
        ("bundle: b.tar", "1: bundle: goes with one version"),
        ("envs: [qa]", "1: envs: unknown key; did you mean env?"),
        ("component-timeout: 5m", "1: component-timeout: unknown key; did you mean componentTimeout?"),
        ("colour: no", "1: colour: unknown key; known keys: auth, componentTimeout, env,"),
        ("timeout: 20", "1: timeout: expected a duration such as 90s, 5m, 1h or 30d, got 20"),
        ("output: junit", "1: output: expected table or json, got 'junit'"),
        ("auth: azur", "1: auth: expected auto, pipelines, environment, workload-identity or azure-cli, got 'azur'"),
        ("env:", "1: env: expected text, got nothing"),
        ("env: [qa]", "1: env: expected text, got ['qa']"),
        ("env: qa\nenv: dev", "2: env: is given twice, first in line 1"),
        ("env: ${NOWHERE}", "1: env: the variable NOWHERE is not set"),
        ("env", "1: must hold keys and values"),
        ("{{{", "is not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(config: Path, text: str, problem: str) -> None:
    config.write_text(text)
    with pytest.raises(UsageError) as caught:
        user_defaults(config, {})
    assert caught.value.what == f"your defaults in {config} are not valid"
    (detail,) = caught.value.details
    assert detail.startswith(f"{config}:")
    assert problem in detail


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write(config: Path, mode: int) -> None:
    config.write_text("env: qa\n")
    config.chmod(mode)
    with pytest.raises(UsageError, match="can be written by others") as caught:
        user_defaults(config, {})
    assert f"chmod go-w {config}" in caught.value.todo


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a file"):
        user_defaults(tmp_path, {})
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        user_defaults(tmp_path / "config.yaml", {})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="is not a file"):
        user_defaults(tmp_path / "pipe", {})


def test_every_key_is_an_option_that_a_variable_may_give_and_no_other() -> None:
    def options(command: Any) -> dict[str, bool]:
        found = {_key(param.opts[0]): bool(param.envvar) for param in command.params if param.opts[0][:2] == "--"}
        for child in getattr(command, "commands", {}).values():
            found |= options(child)
        return found

    def _key(flag: str) -> str:
        first, *others = flag.removeprefix("--").split("-")
        return first + "".join(word.capitalize() for word in others)

    known = options(typer.main.get_command(app_for()))
    assert NO_DEFAULT.keys() <= known.keys()
    assert all(known[key] for key in KEYS)
    given_by_variables = {key for key, variable in known.items() if variable}
    assert given_by_variables - set(KEYS) == {
        "kubeconfig",
        "context",
        "istioctl",
        "bundle",
        "failIfExpiresWithin",
        "reason",
    }
