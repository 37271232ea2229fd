"""A tool ends with sohistio, even where that is killed outright."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sohistio.system.lifeline import tied_to_us

_PARENT = """
import sys, time
from pathlib import Path
from sohistio.system.tool_run import ToolRun
command = (sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(300)")
tool = ToolRun.start("the tool", command, stdin="", log=Path(sys.argv[1]), say=lambda line: None)
print(tool.pid, flush=True)
time.sleep(300)
"""


def test_a_killed_parent_takes_the_tool_along(tmp_path: Path) -> None:
    log = tmp_path / "tool.log"
    with subprocess.Popen([sys.executable, "-c", _PARENT, str(log)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        tool = int(parent.stdout.readline())
        deadline = time.monotonic() + 10
        while "begun" not in log.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(parent.pid, signal.SIGKILL)
    while runs(tool):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_the_tool_is_what_it_would_be_without() -> None:
    command = tied_to_us(("sh", "-c", "echo $0 $1; exit 7", "a b", "c"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "a b c\n", "")


def test_the_tool_can_be_asked_to_end_where_sohistio_began_in_the_background() -> None:
    """A shell starts a background job with SIGINT ignored, and whatever that starts inherits it."""
    ask = "import subprocess; from sohistio.system.lifeline import tied_to_us as tied; "
    ask += "subprocess.run(tied(['grep', 'SigIgn', '/proc/self/status']), check=True)"
    command = ("/usr/bin/env", "--ignore-signal=INT", sys.executable, "-c", ask)
    ignored = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1], 16)
    assert not ignored & 1 << (signal.SIGINT - 1)


def test_what_is_no_program_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        tied_to_us((str(tmp_path / "none"),))
    text = tmp_path / "text"
    text.write_text("no program")
    text.chmod(0o755)
    done = subprocess.run(tied_to_us((str(text),)), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Exec format error" in done.stderr
