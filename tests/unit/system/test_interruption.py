"""Ctrl-C and SIGTERM while a login command runs: told as such, whatever the library makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_SLOW = f"""#!{sys.executable} -I
import pathlib, sys, time
pathlib.Path({{begun!r}}).touch()
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
    login = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program), "interactiveMode": "Never"}
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": login}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(document))
    where = ("--env", "local", "--environments", str(ENVIRONMENTS), "--context", "x", "--kubeconfig", str(path))
    code, out, said = interrupted(signal.SIGINT, begun, tmp_path, "plan", *where, *flags)
    assert code == 130, said
    assert "interrupted by SIGINT" in said
    assert "the login of context" not in said
    if flags:
        assert json.loads(out)["error"]["exitCode"] == 130
