"""What a command that is refused must say, and must not do."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sandboxes import CHECKOUT, Sandbox


def refused(sandbox: Sandbox, code: int, *arguments: str, **variables: str) -> str:
    """Run it; the one error it must end with. Nothing may have been written."""
    before = sandbox.writes()
    done = sandbox.run(*arguments, cwd=CHECKOUT, **variables)
    check_error(done, code)
    assert sandbox.writes() == before
    return done.stderr


def check_error(done: subprocess.CompletedProcess[str], code: int) -> None:
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert "Traceback" not in said
    assert "has a bug" not in said
    lines = done.stderr.splitlines()
    assert sum(line.startswith("Error: ") for line in lines) == 1, said
    assert any(line.startswith("What to do: ") for line in lines), said
    assert lines[-1].startswith(f"(exit code {code}; docs/")


def on(sandbox: Sandbox, kubeconfig: Path) -> tuple[str, ...]:
    """The flags that point an environment at the sandbox through this kubeconfig."""
    return ("--env", "local", "--context", sandbox.context, "--kubeconfig", str(kubeconfig))
