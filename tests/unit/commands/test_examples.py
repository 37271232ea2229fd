"""Every help ends with examples, and each of them is a command line that sohistio takes."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from sohistio.cli import app_for

app = app_for()
ROOT = typer.main.get_command(app)


def paths(command: Any = ROOT, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found = {path: command}
    for name, child in getattr(command, "commands", {}).items():
        found |= paths(child, (*path, name))
    return found


ALL = paths()
EXAMPLES = [(path, line) for path, command in ALL.items() for line in (command.epilog or "").splitlines()]


@pytest.fixture(autouse=True)
def _nobodys_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOHISTIO_ENV", "SOHISTIO_OUTPUT", "SOHISTIO_AUTH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOHISTIO_CONFIG", "/dev/null")


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_ends_with_one_to_four_examples(path: tuple[str, ...]) -> None:
    own = [line for of, line in EXAMPLES if of == path]
    assert 1 <= len(own) <= 4
    help_text = CliRunner().invoke(app, [*path, "--help"], terminal_width=80).stdout
    assert help_text.endswith("\n\nExamples:\n" + "".join(f"  {line}\n" for line in own))
    assert [line for line in own if len(line) > 78] == []


@pytest.mark.parametrize(("path", "line"), EXAMPLES)
def test_an_example_is_taken_as_it_is(path: tuple[str, ...], line: str) -> None:
    ours = re.fullmatch(r'(?:eval "\$\()?(sohistio [^|>)]*).*', line)
    assert ours, line
    words = shlex.split(ours[1], comments=True)[1:]
    context = ROOT.make_context("sohistio", list(words))
    command: Any = ROOT
    named: list[str] = []
    rest = list(words)
    while hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, rest)
        named.append(name)
        context = command.make_context(name, list(rest), parent=context)
    assert tuple(named[: len(path)]) == path
