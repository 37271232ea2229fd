"""One sohistio at a time in a folder: a lock that ends with its process and leaves no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sohistio.errors import RefusedError
from sohistio.system import file_lock


@contextmanager
def locked(folder: Path, wait_seconds: float, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a folder, made if missing; `waiting` is called once where another process holds it.

    Raises RefusedError after `wait_seconds`. The folder may be removed while the lock is held.
    """

    def gave_up() -> RefusedError:
        return RefusedError(
            f"another sohistio is at work in {folder}", todo="Wait for it to finish, or end it, and try again."
        )

    with file_lock.locked(folder, wait_seconds, waiting, gave_up, folder=True):
        yield
