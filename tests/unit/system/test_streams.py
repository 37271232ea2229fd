"""Output that cannot be written, or not in this encoding: the program goes on, and ends as if it were."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from sohistio.system.streams import Stream
from sohistio.system.transcript import Transcript
from terminal import to_the_end

# A program as `main` makes it, that says three lines and ends with 7.
SAYS = """
import sys, time
from pathlib import Path
from sohistio.system import streams
from sohistio.output.console import console
streams.install()
if len(sys.argv) > 1:
    streams.keep_log(Path(sys.argv[1]))
print("first \\u2192 \\u221a")
sys.stdin.read()
print("##vso[x]\\x1b[1m", end="")
print()
console().print("third \\u2026", style="red")
print("on stderr \\u203c", file=sys.stderr)
sys.exit(7)
"""
SAID = "first → √\n# #vso[x]\\x1b[1m\nthird …\n"


def started(
    *arguments: str, stdout: int, stderr: int = subprocess.PIPE, variables: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SAYS, *arguments],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **(variables or {})},
    )


def test_into_a_pipe() -> None:
    out, err = (process := started(stdout=subprocess.PIPE)).communicate()
    assert (out.decode(), err.decode(), process.returncode) == (SAID, "on stderr ‼\n", 7)


@pytest.mark.parametrize(
    ("variables", "said", "err"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "first -> +\n# #vso[x]\\x1b[1m\nthird ...\n", "on stderr !!\n"),
        ({"PYTHONIOENCODING": "cp1252"}, "first -> +\n# #vso[x]\\x1b[1m\nthird \x85\n", "on stderr !!\n"),
        (
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""},
            "first -> +\n# #vso[x]\\x1b[1m\nthird ...\n",
            "on stderr !!\n",
        ),
    ],
    ids=["ascii", "as-on-windows", "c-locale"],
)
def test_symbols_fall_back(variables: dict[str, str], said: str, err: str) -> None:
    out, told = (process := started(stdout=subprocess.PIPE, variables=variables)).communicate()
    assert (out.decode("latin-1"), told.decode("latin-1"), process.returncode) == (said, err, 7)


def test_in_a_terminal_only_our_own_colours_pass() -> None:
    ours, theirs = pty.openpty()
    process = started(stdout=theirs, variables={"TERM": "xterm", "COLORTERM": "", "NO_COLOR": ""})
    os.close(theirs)
    process.communicate()
    assert to_the_end(ours) == "first → √\r\n# #vso[x]\\x1b[1m\r\n\x1b[31mthird …\x1b[0m\r\n"


def test_a_reader_that_has_gone(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "run.log"
    process = started(str(log), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "first → √\n".encode()
    process.stdout.close()
    _, err = process.communicate()
    note = f"Note: standard output was closed. The run goes on; all that it says is in {log}.\n"
    assert (err.decode(), process.returncode) == (f"{note}on stderr ‼\n", 7)
    assert log.read_text() == SAID.replace("# #", f"{note}# #") + "on stderr ‼\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_full_disk(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        nowhere = started(str(tmp_path / "log"), stdout=full.fileno(), stderr=full.fileno())
        nowhere.communicate()
    assert nowhere.returncode == 7
    text = (tmp_path / "log").read_text()
    assert [line for line in SAID.splitlines() if line not in text] == []
    assert text.count("cannot be written ([Errno 28]") == 1


def test_no_output_at_all_and_no_log_either(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    log = blocked / "log"
    for closed, said in ((">&- 2>&-", ""), (">&-", f"Note: the log {log} cannot be written")):
        command = ["/bin/sh", "-c", f'"$0" -c "$1" "$2" {closed} </dev/null', sys.executable, SAYS, str(log)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (7, "")
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_pipe_without_a_reader_is_known_before_anything_is_written() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as pipe:
        stream = Stream(pipe, Transcript(), lambda: None)
        before = stream.is_lost
        os.close(reader)
        assert (before, stream.is_lost, stream.failure) == (False, True, None)
    with Path(os.devnull).open("w") as file:
        assert not Stream(file, Transcript(), lambda: None).is_lost
    assert Stream(None, Transcript(), lambda: None).is_lost


ASKS = """
import sys
from sohistio.system import streams
streams.install()
print("what is about to happen")
from sohistio.output.run_report import RunReport
sys.exit(int(RunReport(stderr=False).ask("Go on? [y/N] ") == "y"))
"""


@pytest.mark.parametrize(("redirected", "answer"), [("", 1), (">/dev/full", 0), ("2>/dev/full", 0)])
def test_nobody_approves_what_could_not_be_shown(redirected: str, answer: int) -> None:
    command = ["/bin/sh", "-c", f'"$0" -c "$1" {redirected}', sys.executable, ASKS]
    done = subprocess.run(command, check=False, capture_output=True, text=True, input="y\n")
    assert done.returncode == answer, done.stderr
