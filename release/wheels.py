"""A wheel of a commit, built twice in clean folders, the same to the byte."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

_BUILD_SECONDS = 300.0
_GIT_SECONDS = 60.0


class WheelError(Exception):
    """A wheel that could not be built, or that differs from one build to the next."""


def git(root: Path, *arguments: str) -> bytes:
    """What git answers. Raises WheelError with its own words."""
    program = shutil.which("git")
    if program is None:
        raise WheelError("there is no git here")
    return _answer(f"git {arguments[0]}", (program, *arguments), cwd=root, seconds=_GIT_SECONDS)


def built_twice(root: Path, folder: Path) -> Path:
    """The wheel of the commit that `root` has checked out, below `folder`. Raises WheelError.

    Each build has the commit's files in a folder of its own and its own seed of hashes, so that neither paths nor
    left-over files nor an accidental order get into it. Times in the wheel are the commit's.
    """
    archive = git(root, "archive", "--format=tar", "HEAD")
    epoch = git(root, "log", "-1", "--format=%ct").decode().strip()
    first, second = (_built(archive, folder / name, epoch, seed) for name, seed in (("first", "1"), ("second", "2")))
    if first.name != second.name or sha256(first) != sha256(second):
        raise WheelError(f"two builds differ: {first} ({sha256(first)}), {second} ({sha256(second)})")
    return first


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _built(archive: bytes, folder: Path, epoch: str, seed: str) -> Path:
    source, wheels = folder / "source", folder / "wheel"
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(source, filter="data")
    command = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(source))
    fixed = {"SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": seed}
    _answer("the build", command, cwd=source, seconds=_BUILD_SECONDS, env=os.environ | fixed)
    (wheel,) = wheels.glob("*.whl")
    return wheel


def _answer(
    what: str, command: tuple[str, ...], *, cwd: Path, seconds: float, env: Mapping[str, str] | None = None
) -> bytes:
    """Run a program and give its stdout. Raises WheelError, with all that it said, unless it ends well and in time."""
    try:
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise WheelError(f"{what} did not end within {seconds:.0f} s") from None
    if done.returncode:
        said = b"\n".join(part for part in (done.stdout.strip(), done.stderr.strip()) if part)
        raise WheelError(f"{what} failed: {said.decode(errors='replace')}")
    return done.stdout
