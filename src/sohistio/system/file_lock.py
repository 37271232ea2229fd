"""Locks between processes of this machine: the kernel frees them at any end of the process that holds one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_POLL_SECONDS = 0.1


@contextmanager
def locked(
    path: Path,
    wait_seconds: float,
    waiting: Callable[[], None],
    gave_up: Callable[[], Exception],
    *,
    folder: bool = False,
) -> Iterator[None]:
    """Hold the lock of a file, or of a `folder`, for the block; it is made if missing.

    Where another process has it, `waiting` is called once, and what `gave_up` makes is raised after `wait_seconds`. It
    may be removed while the lock is held. Raises OSError where there are no locks to be had.
    """
    deadline = time.monotonic() + wait_seconds
    handle = try_lock(path, folder=folder)
    if handle is None:
        waiting()
    while handle is None:
        if time.monotonic() > deadline:
            raise gave_up()
        time.sleep(_POLL_SECONDS)
        handle = try_lock(path, folder=folder)
    try:
        yield
    finally:
        os.close(handle)


def try_lock(path: Path, *, folder: bool = False) -> int | None:
    """The lock as a descriptor to close; None where another process has it, or just removed what is locked.

    Raises OSError where there are no locks to be had at all (some network file systems), or no more open files.
    """
    if sys.platform == "win32":
        return _try_on_windows(path)
    import fcntl

    try:
        if folder:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        kind = os.O_RDONLY | os.O_DIRECTORY if folder else os.O_RDWR | os.O_CREAT
        handle = os.open(path, kind, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have removed it, and another one may be there by now.
        if os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _try_on_windows(path: Path) -> int | None:
    """There, nobody can remove a file that is open: that is the lock."""
    try:
        path.unlink(missing_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except (FileNotFoundError, PermissionError):
        return None
