"""A user's program: what it gets, what is kept of it, and how it is ended."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from sohistio.errors import FailedError, InterruptedRunError, RefusedError
from sohistio.system.machine import started
from sohistio.system.program import program_path, run_program


def script(folder: Path, text: str) -> tuple[str, ...]:
    (folder / "hook").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "hook").chmod(0o700)
    return ("./hook", "an argument", "$HOME")


def run(folder: Path, text: str, seconds: float = 20, stop: threading.Event | None = None) -> tuple[str, ...]:
    argv = script(folder, text)
    return run_program(argv, folder, variables={"TO": "10.1.2.3"}, seconds=seconds, stop=stop or threading.Event())


def test_what_it_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s3cr3t~")
    monkeypatch.setenv("LANG", "C.UTF-8")
    lines = run(tmp_path, 'echo "$1 $2 $#"; pwd; cat; env')
    assert lines[:2] == ("an argument $HOME 2", str(tmp_path))  # no shell reads its arguments
    assert {"TO=10.1.2.3", "LANG=C.UTF-8"} <= set(lines)
    assert not [line for line in lines if "s3cr3t" in line]


def test_only_its_last_lines_are_kept_and_they_are_harmless(tmp_path: Path) -> None:
    lines = run(tmp_path, r"""seq 100000; printf '\033[31m##vso[task.complete]\n' >&2""")
    assert lines[-2:] == ("100000", r"\x1b[31m# #vso[task.complete]")
    assert len(lines) == 12


def test_all_that_it_started_ends_with_its_time(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(FailedError) as caught:
        run(tmp_path, "sleep 60 & echo $!; wait", seconds=2)
    assert time.monotonic() - begun < 10
    child = int(caught.value.details[0])
    while started(child) is not None and time.monotonic() - begun < 10:
        time.sleep(0.02)
    assert started(child) is None


def test_what_does_not_listen_is_ended_all_the_same(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(1.5, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(InterruptedRunError) as caught:
        run(tmp_path, "trap 'echo later' TERM; echo working; while true; do sleep 0.2; done", stop=stop)
    assert time.monotonic() - begun < 10
    assert caught.value.details[0] == "working"
    assert "later" in caught.value.details


def test_a_program_of_the_path(tmp_path: Path) -> None:
    assert program_path(("sh",), tmp_path).is_absolute()
    with pytest.raises(RefusedError, match="no program hook in PATH"):
        program_path(("hook",), tmp_path)
    script(tmp_path, "")
    assert (
        program_path(("./hook",), tmp_path) == program_path((str(tmp_path / "hook"),), Path("/")) == tmp_path / "hook"
    )
