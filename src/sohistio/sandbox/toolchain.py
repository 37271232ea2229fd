"""The Go toolchain: is it there, is it new enough, and how it is called."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from sohistio.errors import RefusedError
from sohistio.sandbox.modules import module_folder

_OLDEST = (1, 21)
"""From Go 1.21 on, `go` fetches the toolchain a go.mod asks for by itself."""
_INSTALL = "Install Go (https://go.dev/doc/install), see that `go version` works, and try again."


def find_go(modules: tuple[str, ...]) -> str:
    """The path of a `go` that can build these modules; raises RefusedError where there is none."""
    go = shutil.which("go")
    if go is None:
        raise RefusedError("the sandbox is built with Go, and there is no `go` on the PATH", todo=_INSTALL)
    version = _answer([go, "version"], os.path.sep)
    match = re.search(r"go(\d+)\.(\d+)", version.stdout)
    if version.returncode or match is None:
        raise RefusedError(f"{go} does not work", details=_lines(version), todo=_INSTALL)
    if (int(match[1]), int(match[2])) < _OLDEST:
        raise RefusedError(f"{go} is too old: {version.stdout.strip()}", todo=_INSTALL)
    for module in modules:
        checked = _answer([go, "env", "GOVERSION"], str(module_folder(module)))
        if checked.returncode:
            raise RefusedError(
                f"{go} cannot build the sandbox's {module} parts", details=_lines(checked), todo=_INSTALL
            )
    return go


def build_environment() -> dict[str, str]:
    """The environment builds run in: the user's, without what would change the result."""
    environment = {key: value for key, value in os.environ.items() if key not in ("GOOS", "GOARCH", "GOARM64")}
    return environment | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}


def _answer(command: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, env=build_environment(), capture_output=True, text=True, timeout=300, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RefusedError(f"{command[0]} does not work", details=(str(error),), todo=_INSTALL) from error


def _lines(answer: subprocess.CompletedProcess[str]) -> tuple[str, ...]:
    return tuple((answer.stderr or answer.stdout).strip().splitlines()[-8:])
