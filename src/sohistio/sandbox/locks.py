"""One sohistio at a time in a folder: a lock that ends with its process and leaves no file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sohistio.errors import RefusedError


@contextmanager
def locked(folder: Path, wait_seconds: float, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a folder, made if missing; `waiting` is called once where another process holds it.

    Raises RefusedError after `wait_seconds`. The folder may be removed while the lock is held.
    """
    deadline = time.monotonic() + wait_seconds
    handle = _try(folder)
    if handle is None:
        waiting()
    while handle is None:
        if time.monotonic() > deadline:
            raise RefusedError(
                f"another sohistio is at work in {folder}", todo="Wait for it to finish, or end it, and try again."
            )
        time.sleep(0.2)
        handle = _try(folder)
    try:
        yield
    finally:
        os.close(handle)


def _try(folder: Path) -> int | None:
    import fcntl

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have removed the folder, and another one may be there by now.
        if os.fstat(handle).st_ino == folder.stat().st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None
