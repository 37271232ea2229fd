"""Help: every line fits 80 columns, nothing is cut; and what a variable may stand for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from sohistio.cli import app_for
from sohistio.commands.registration import first_sentence

app = app_for()

ROOT = typer.main.get_command(app)


def commands(command: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


ALL = dict(commands())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_fits_and_is_whole(path: tuple[str, ...], flag: str) -> None:
    shown = CliRunner().invoke(app, [*path, flag], terminal_width=80)
    assert shown.exit_code == 0
    lines = shown.stdout.splitlines()
    assert [line for line in lines if len(line) > 80 or line.endswith("…") or line.endswith("...")] == [
        line for line in lines if line.startswith("Usage:") and line.endswith("...")
    ]


@pytest.mark.parametrize("path", [path for path, command in ALL.items() if hasattr(command, "commands")], ids=" ".join)
def test_a_commands_line_is_one_line(path: tuple[str, ...]) -> None:
    names = ALL[path].commands
    room = 80 - 4 - max(map(len, names))
    assert {name: line for name, child in names.items() if len(line := first_sentence(child.help or "")) > room} == {}


def test_no_variable_approves_or_skips() -> None:
    flags = {param.opts[0]: param.envvar for command in ALL.values() for param in command.params if param.envvar}
    assert flags.keys() == {
        *("--env", "--environments", "--kubeconfig", "--context", "--auth", "--istioctl", "--bundle"),
        *("--component-timeout", "--timeout", "--output", "--fail-if-expires-within", "--reason"),
    }
    assert all(variable.startswith("SOHISTIO_") for variable in flags.values())


def test_every_command_that_changes_a_cluster_takes_a_reason() -> None:
    taking = {" ".join(path) for path, command in ALL.items() if "reason" in {param.name for param in command.params}}
    assert taking == {
        *("install", "uninstall", "restart", "rollback", "restore", "adopt", "sync", "unlock", "images prepull"),
        *("failover", "failback", "namespaces apply"),
    }


def test_the_common_options_come_last() -> None:
    lines = CliRunner().invoke(app, ["install", "--help"], terminal_width=80).stdout.splitlines()
    assert [line for line in lines if line.endswith(":") and not line.startswith(" ")] == [
        "Change:",
        "Target:",
        "Output:",
        "Examples:",
    ]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_is_the_same_where_only_one_command_is_built(path: tuple[str, ...]) -> None:
    """As it is from a command line."""
    told = [CliRunner().invoke(built, [*path, "--help"]).stdout for built in (app, app_for([*path, "--help"]))]
    assert told[0] == told[1]
    assert told[0]


def test_help_before_a_command_lists_all_of_them() -> None:
    assert (
        CliRunner().invoke(app_for(["-h", "install"]), ["-h", "install"]).stdout
        == CliRunner().invoke(app, ["--help"]).stdout
    )
