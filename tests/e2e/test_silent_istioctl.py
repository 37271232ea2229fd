"""An istioctl that hangs, as after a connection that was lost without a word: it is told, and it is ended."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from killing import LOCAL, istioctl_processes, istioctls, started
from sandboxes import Sandbox

pytestmark = pytest.mark.e2e

LONGEST = 120.0


def installing(sandbox: Sandbox) -> int:
    """The process of `istioctl install` that works on this sandbox, 0 where there is none."""
    return next((pid for pid, words in istioctl_processes(sandbox).items() if words[1] == "install"), 0)


def test_it_is_told_and_ended(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox = empty_sandbox
    with (tmp_path / "said").open("w+") as output:
        process = started(sandbox, output, "install", *LOCAL, "--component-timeout", "17s")
        deadline = time.monotonic() + LONGEST
        while not (istioctl := installing(sandbox)):
            assert process.poll() is None, (tmp_path / "said").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(istioctl, signal.SIGSTOP)
        code = process.wait(LONGEST)
    said = (tmp_path / "said").read_text()
    assert code == 1, said
    assert re.search(r"istioctl install has done nothing for \d+ s", said), said
    assert "Error: istioctl install did nothing for 17 s, and was ended." in said
    assert "Its connection to the API server may have been lost." in said
    assert istioctls(sandbox) == []
