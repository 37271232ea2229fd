"""A signal while sohistio is still being imported ends as any later one: words and exit code 130, no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Python imports it at its start. It asks the process to end just when a module is looked for.
_SITE = """
import os, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["WHEN"]:
            sys.meta_path.remove(self)
            Dropping() if "DROPPED" in os.environ else ask_to_end()

class Dropping:
    def __del__(self):
        ask_to_end()

def ask_to_end():
    for number in os.environ["NUMBER"].split():
        os.kill(os.getpid(), int(number))

sys.meta_path.insert(0, Finder())
"""
STARTS = {
    "module": (sys.executable, "-m", "sohistio"),
    "script": (str(Path(sys.executable).with_name("sohistio")),),
}


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Whoever runs the tests may ignore signals (nohup does), and what it starts would, too."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def started(
    folder: Path, start: str, when: str, number: int, *arguments: str, **more: str
) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(_SITE)
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("TF_", "SOHISTIO_"))}
    return subprocess.run(
        (*STARTS[start], *arguments),
        env=variables | {"PYTHONPATH": str(folder), "WHEN": when, "NUMBER": f"{number:d}"} | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("when", ["sohistio.errors", "sohistio.system.streams", "typer", "sohistio.cli"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_in_words(tmp_path: Path, start: str, when: str, number: signal.Signals) -> None:
    done = started(tmp_path, start, when, number, "version")
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert done.stderr.startswith(f"Error: interrupted by {number.name}.\n"), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("when", ["sohistio.errors", "typer", "sohistio.commands.explain"])
def test_two_that_come_at_once_end_in_words_once(tmp_path: Path, when: str) -> None:
    both = f"{signal.SIGTERM:d} {signal.SIGHUP:d}"
    done = started(tmp_path, "module", when, signal.SIGTERM, "explain", "--output", "json", NUMBER=both)
    assert done.returncode == 130, done.stderr
    assert done.stderr.count("Error: interrupted by SIG") == 1, done.stderr
    assert json.loads(done.stdout)["error"]["exitCode"] == 130
    assert "Traceback" not in done.stderr


def test_in_json_where_that_is_asked(tmp_path: Path) -> None:
    done = started(tmp_path, "module", "sohistio.errors", signal.SIGINT, "version", "--output", "json")
    assert done.returncode == 130
    assert json.loads(done.stdout)["error"]["exitCode"] == 130


def test_one_that_python_drops_is_told_at_the_end(tmp_path: Path) -> None:
    command = ("explain", "--output", "json")
    done = started(tmp_path, "module", "sohistio.output.documents", signal.SIGTERM, *command, DROPPED="yes")
    assert done.returncode == 130
    # On a slow machine it is raised once more before the answer is there.
    assert json.loads(done.stdout)["kind"] in ("Explanation", "Error"), "one answer, not two"
    assert "Error: interrupted by SIGTERM.\n" in done.stderr


def test_one_that_comes_while_the_agent_is_told_ends_in_words(tmp_path: Path) -> None:
    """Of a command that ends with a code and has no error to tell."""
    agent = {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(tmp_path), "KUBECONFIG": os.devnull}
    done = started(tmp_path, "module", "sohistio.output.devops.summary", signal.SIGTERM, "status", "--all", **agent)
    assert done.returncode == 130, done.stderr
    assert "Error: interrupted by SIGTERM.\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_that_comes_with_the_last_words_ends_without_more(tmp_path: Path) -> None:
    done = started(tmp_path, "module", "sohistio.output.error_text", signal.SIGINT, "no-such-command")
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_a_hangup_that_is_ignored_stays_so(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        done = started(tmp_path, "module", "sohistio.errors", signal.SIGHUP, "version")
    finally:
        signal.signal(signal.SIGHUP, before)
    assert done.returncode == 0, done.stderr
