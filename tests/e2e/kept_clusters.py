"""Clusters that were made once, empty or with a mesh, for the stories that only begin with one.

A stopped sandbox that starts again with the objects it had costs a quarter of the CPU time of a new one and an install
in it, and less than a new one alone. What is kept is the folder of a sandbox whose processes have ended; the workers of
a test run share it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sohistio.sandbox.processes import end
from sohistio.sandbox.record import read_record

EMPTY = "empty"
_OF_A_RUN = ("logs", "audit*.log", "*.sock", "istiod", "kubeconfig", "sandbox.json")
_MARK = "begun-with-a-mesh"
_LONGEST_STOP = 20.0


def kept_clusters(state_home: Path) -> Path:
    """Where the workers of this test run keep them, each in a folder named after the version of its mesh."""
    mine = state_home.parent
    return (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "clusters"


@contextmanager
def alone(kept: Path) -> Iterator[None]:
    """One worker makes it, the others wait for it."""
    kept.parent.mkdir(exist_ok=True)
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep(folder: Path, kept: Path) -> None:
    """Stop the sandbox in the folder, and keep what it needs to start again."""
    known = read_record(folder)
    assert known is not None
    assert not end([known.supervisor.process], _LONGEST_STOP)
    unfinished = kept.with_suffix(".unfinished")
    shutil.copytree(folder, unfinished, ignore=shutil.ignore_patterns(*_OF_A_RUN))
    unfinished.replace(kept)


def put_back(kept: Path, folder: Path, record: bytes) -> None:
    """Make the folder of a sandbox from what was kept. Its own `record` says which port its mirror has, and shells
    keep the address.
    """
    shutil.copytree(kept, folder)
    (folder / "sandbox.json").write_bytes(record)
    if kept.name != EMPTY:
        (folder / _MARK).touch()


def begun_with_a_mesh(folder: Path) -> bool:
    """Whether the cluster had a mesh before anybody wrote to it."""
    return (folder / _MARK).exists()
