"""`status --watch`: it ends where nobody reads it, and never hangs on a bug in a look."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import cast

import pytest

from command_line import command, environ
from environment_folder import environment_folder
from sohistio.commands.fleet import Shown, watch_all
from sohistio.planning.session import Where


def watch(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Its stdout is a pipe whose reader has gone, as behind `| head`. No cluster is asked: there is no kubeconfig."""
    reader, writer = os.pipe()
    os.close(reader)
    watching = command("status", "--watch", "--every", "5s", "--env", "qa", *arguments)
    with os.fdopen(writer) as stdout:
        return subprocess.Popen(watching, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=folder, env=environ())


def await_page(page: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not page.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_ends_where_nobody_reads_it(tmp_path: Path) -> None:
    environment_folder(tmp_path)
    with watch(tmp_path) as process:
        try:
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, said) == (0, "")


def test_it_goes_on_for_the_page(tmp_path: Path) -> None:
    environment_folder(tmp_path)
    page = tmp_path / "status.html"
    with watch(tmp_path, "--html", str(page)) as process:
        try:
            await_page(page, process)
            page.unlink()
            await_page(page, process)  # at the next look
            process.terminate()
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, said) == (0, "")


def test_a_bug_in_a_look_ends_it() -> None:
    with pytest.raises(AttributeError):
        watch_all([cast(Where, None)], None, Shown(json=False, html=None), 5)
