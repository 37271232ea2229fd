"""Ctrl-C and SIGTERM while a login command runs: told as such, whatever the library makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from command_line import run
from sohistio.system.interruption import stop_event

_SLOW = f"""#!{sys.executable} -I
import os, pathlib, sys, time
unfinished = pathlib.Path({{begun!r}} + ".unfinished")
unfinished.write_text(str(os.getpid()))
unfinished.rename({{begun!r}})
time.sleep(60)
"""
ENVIRONMENTS = Path(__file__).parents[3] / "environments"


def slow_command(folder: Path, name: str) -> tuple[Path, Path]:
    """A program that does not end, and the file it makes once it has begun."""
    begun, program = folder / "begun", folder / name
    program.write_text(_SLOW.format(begun=str(begun)))
    program.chmod(0o755)
    return program, begun


def interrupted(number: int, begun: Path, folder: Path, *arguments: str) -> tuple[int, str, str]:
    """The exit code and what is said by sohistio that gets a signal once `begun` is there."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith(("AZURE", "TF_", "SYSTEM_"))}
    variables |= {"PATH": f"{folder}:/usr/bin:/bin", "XDG_STATE_HOME": str(folder / "state")}
    command = [sys.executable, "-m", "sohistio", *arguments]
    with subprocess.Popen(
        command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 30
        try:
            while not begun.exists():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(number)
            out, said = process.communicate(timeout=20)
        finally:
            process.kill()
    return process.returncode, out, said


def kubeconfig_with_login(folder: Path, program: Path) -> Path:
    """Context `x` logs in by the program, `y` as nobody; nobody listens at their server."""
    login = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program), "interactiveMode": "Never"}
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": login}}, {"name": "nobody", "user": {}}],
        "contexts": [
            {"name": name, "context": {"cluster": "c", "user": user}} for name, user in (("x", "u"), ("y", "nobody"))
        ],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_the_azure_cli_is_asked(tmp_path: Path, number: signal.Signals) -> None:
    _, begun = slow_command(tmp_path, "az")
    code, out, said = interrupted(number, begun, tmp_path, "aks-token", "--auth", "azure-cli")
    assert (code, out) == (130, "")
    assert f"interrupted by {number.name}" in said
    assert "no login" not in said


@pytest.mark.parametrize("flags", [(), ("--output", "json")], ids=["text", "json"])
def test_while_a_kubeconfigs_login_command_runs(tmp_path: Path, flags: tuple[str, ...]) -> None:
    program, begun = slow_command(tmp_path, "slow-login")
    path = kubeconfig_with_login(tmp_path, program)
    where = ("--env", "local", "--environments", str(ENVIRONMENTS), "--context", "x", "--kubeconfig", str(path))
    code, out, said = interrupted(signal.SIGINT, begun, tmp_path, "plan", *where, *flags)
    assert code == 130, said
    assert "interrupted by SIGINT" in said
    assert "the login of context" not in said
    if flags:
        assert json.loads(out)["error"]["exitCode"] == 130
    await_gone(int(begun.read_text()))


def await_gone(process: int) -> None:
    """A login command that hangs ends with sohistio."""
    deadline = time.monotonic() + 10
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_login_that_hangs_ends_with_a_status_that_did_not_wait_for_it(tmp_path: Path) -> None:
    """And it hides no other cluster: the library's lock was one for all."""
    program, begun = slow_command(tmp_path, "slow-login")
    path = kubeconfig_with_login(tmp_path, program)
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "base").symlink_to(ENVIRONMENTS / "base")
    for name, context in (("a-hangs", "x"), ("b-refused", "y")):
        (folder / name).mkdir()
        keys = {"name": name, "cluster": {"context": context}, "ingressAddress": "127.0.0.1"}
        (folder / name / "environment.yaml").write_text(json.dumps(keys))
    done = run("status", "--environments", str(folder), "--deadline", "8s", "--output", "json", KUBECONFIG=str(path))
    said = {row["environment"]: row["problem"] for row in json.loads(done.stdout)["environments"]}
    assert "did not answer within 8 s" in said["a-hangs"]
    assert "cannot be reached" in said["b-refused"]
    await_gone(int(begun.read_text()))


_UNHEARD = """
import signal, threading
from sohistio.system.interruption import Interruption, end_on_signals, stop_event

def come():
    # As where it comes just before the main thread's wait begins: that is not interrupted.
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

end_on_signals()
threading.Timer(0.2, come).start()
try:
    {wait}
except Interruption:
    print("heard")
"""


@pytest.mark.parametrize(
    "wait",
    [
        "threading.Lock().acquire() and (never := threading.Lock()).acquire() and never.acquire()",
        "threading.Event().wait()",
        "with stop_event() as stop: print('heard' if stop.wait() else '')",
        "with stop_event() as stop: print('heard' if stop.wait(60) else '')",
    ],
)
def test_a_signal_that_does_not_interrupt_the_wait(wait: str) -> None:
    program = [sys.executable, "-c", _UNHEARD.format(wait=wait)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.stderr) == ("heard\n", "")


def test_a_stop_wakes_everybody_who_waits_for_it() -> None:
    heard: list[bool] = []
    with stop_event() as stop:
        assert not stop.is_set()
        assert not stop.wait(0)
        assert not stop.wait(-1)
        threads = [threading.Thread(target=lambda: heard.append(stop.wait(20))) for _ in range(3)]
        for thread in threads:
            thread.start()
        os.kill(os.getpid(), signal.SIGTERM)
        for thread in threads:
            thread.join(20)
        assert stop.is_set()
    assert heard == [True] * 3


_COMES = """
import os, signal, threading
from sohistio.errors import InterruptedRunError
from sohistio.system.interruption import Interruption, end_on_signals, stop_event

def come():
    os.kill(os.getpid(), signal.SIGTERM)
    signal.sigtimedwait([signal.SIGUSR1], 5)

class Dropping:
    def __del__(self):
        come()

end_on_signals()
"""
_DROPPED = """
Dropping()
try:
    with stop_event():
        print("at work")
except InterruptedRunError as interruption:
    print(interruption.what)
try:
    threading.Event().wait(20)
except Interruption as interruption:
    print("once more:", interruption.error.what)
"""
_TAKEN = """
try:
    come()
except Exception:
    print("taken for an error")
except Interruption as interruption:
    print("no error:", interruption.error.what)
"""


@pytest.mark.parametrize(
    ("then", "said"),
    [
        pytest.param(_DROPPED, ["interrupted by SIGTERM", "once more: interrupted by SIGTERM"], id="in a destructor"),
        pytest.param(_TAKEN, ["no error: interrupted by SIGTERM"], id="where errors are taken"),
    ],
)
def test_no_work_begins_after_one_that_something_else_might_take(then: str, said: list[str]) -> None:
    program = [sys.executable, "-c", _COMES + then]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=15)
    assert (done.stdout.splitlines(), done.stderr) == (said, "")


_LAST_WORDS = """
from sohistio.system.interruption import end_without_words
Dropping()
end_without_words()
threading.Event().wait(1)
print("last words")
"""


def test_one_that_was_dropped_does_not_come_into_the_last_words() -> None:
    program = [sys.executable, "-c", _COMES + _LAST_WORDS]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=15)
    assert (done.stdout, done.stderr) == ("last words\n", "")
