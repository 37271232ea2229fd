"""A wheel of a commit, built twice in clean folders, the same to the byte."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
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
    done = subprocess.run((program, *arguments), cwd=root, capture_output=True, check=False, timeout=_GIT_SECONDS)
    if done.returncode:
        raise WheelError(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


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
    done = subprocess.run(
        (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(source)),
        env=os.environ | {"SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
        timeout=_BUILD_SECONDS,
    )
    if done.returncode:
        raise WheelError(f"the wheel could not be built: {(done.stdout + done.stderr).strip()}")
    (wheel,) = wheels.glob("*.whl")
    return wheel
