"""A tool at a person's service: its input, its output made harmless, its exit code, Ctrl-C, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_SOHISTIO = """
import sys
from sohistio.errors import SohistioError
from sohistio.system import streams
from sohistio.system.passed_on import pass_on
streams.install()
try:
    sys.exit(pass_on("the tool", sys.argv[1:]))
except SohistioError as error:
    sys.exit(f"{error.what}; {error.details}")
"""
WAITS = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600)"
SECONDS = 60


def command(*tool: str) -> list[str]:
    return [sys.executable, "-c", _SOHISTIO, *tool]


def run(program: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(sys.executable, "-c", program),
        input=given,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def is_there(pid: int) -> bool:
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_its_input_its_output_and_its_code() -> None:
    done = run("import sys; print(sys.stdin.read().upper()); print('oh', file=sys.stderr); sys.exit(79)", "abc")
    assert (done.returncode, done.stdout, done.stderr) == (79, "ABC\n", "oh\n")


def test_its_output_is_shown_and_never_obeyed() -> None:
    done = run(
        "import os, time\n"
        "os.write(1, b'##vso[task.setvariable]x\\n\\x1b[2Jend\\n##v'); time.sleep(0.2)\n"
        "os.write(1, b'so[a]\\n\\xe2\\x82'); time.sleep(0.2); os.write(1, b'\\xac \\xff\\n')\n"
        "os.write(2, b'##[error]y\\n')"
    )
    first, second, third, last = done.stdout.splitlines()
    assert (first, second, last) == ("# #vso[task.setvariable]x", "\\x1b[2Jend", "€ �")
    assert "##vso[" not in third
    assert done.stderr == "# #[error]y\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_it_and_nothing_is_left(number: signal.Signals) -> None:
    with subprocess.Popen(command(sys.executable, "-c", WAITS), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(number)
        assert process.wait(SECONDS) == 130
    assert not is_there(pid)


def test_a_tool_that_ends_well_on_a_signal_has_ended_well() -> None:
    program = "import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(0)); " + WAITS
    with subprocess.Popen(command(sys.executable, "-c", program), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0


def test_it_ends_once_nobody_reads_it() -> None:
    program = "import os, time\nprint(os.getpid(), flush=True)\nwhile True: print('x', flush=True); time.sleep(0.01)"
    with subprocess.Popen(command(sys.executable, "-c", program), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.stdout.close()
        assert process.wait(SECONDS) == 0
    assert not is_there(pid)


def test_a_slow_reader_gets_all_of_it() -> None:
    program = "import os; os.write(1, b'x' * 150_000)"
    with subprocess.Popen(command(sys.executable, "-c", program), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        time.sleep(6)  # longer than a tool's last words are waited for
        assert len(process.stdout.read()) == 150_000
        assert process.wait(SECONDS) == 0


def test_what_the_tool_leaves_running_is_not_waited_for() -> None:
    program = (
        "import subprocess, sys; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)"
    )
    with subprocess.Popen(command(sys.executable, "-c", program), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        try:
            assert process.wait(SECONDS) == 0
        finally:
            os.kill(pid, signal.SIGKILL)


def test_it_goes_on_without_standard_error() -> None:
    tool = (sys.executable, "-c", "import sys; print('oh', file=sys.stderr, flush=True); print('out'); sys.exit(7)")
    without = ["sh", "-c", '"$@" 2>&-', "sh", *command(*tool)]
    done = subprocess.run(without, stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, done.stdout) == (7, "out\n")


def test_a_tool_that_is_killed_gives_the_shells_code() -> None:
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)").returncode == 137


def test_a_tool_that_is_not_there() -> None:
    done = subprocess.run(command("/no/such/tool"), capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert "the tool could not be started" in done.stderr


def test_a_tool_of_a_killed_sohistio_ends() -> None:
    with subprocess.Popen(command(sys.executable, "-c", WAITS), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.kill()
        process.wait(SECONDS)
    end = time.monotonic() + SECONDS
    while is_there(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_there(pid)
