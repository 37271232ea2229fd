"""A folder of the cache: one run at a time writes into it, and a file system that refuses is one clear error."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sohistio.errors import NotObtainedError
from sohistio.system.file_lock import locked

_LONGEST_WAIT = 1200.0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NotStoredError(NotObtainedError):
    """A file system refused; the cause is its OSError."""


@contextmanager
def exclusive(folder: Path, say: Callable[[str], None], *, longest_wait: float = _LONGEST_WAIT) -> Iterator[None]:
    """Hold the folder (made if missing) for this process; the system frees it when the process ends, however it ends.

    Waits for at most `longest_wait` seconds for another run, and says so once through `say`. Raises NotObtainedError.
    """

    def waiting() -> None:
        say(f"waiting for another run that is filling {folder}")

    def gave_up() -> NotObtainedError:
        return NotObtainedError(
            f"Another run has been filling {folder} for {longest_wait:.0f} seconds",
            todo="Look for a sohistio that hangs, end it, and run this again.",
        )

    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o755)
            held.enter_context(locked(folder / ".lock", longest_wait, waiting, gave_up))
        except OSError as error:
            raise cannot_store(error, folder) from error
        yield


def cannot_store(error: OSError, folder: Path, needed: int | None = None) -> NotStoredError:
    """What to say when a file cannot be kept in `folder`; `needed` is its size in bytes, where known."""
    if error.errno in NO_ROOM:
        size = mebibytes(needed) if needed is not None else "about 150 MiB"
        return NotStoredError(
            f"There is no room for istioctl in {folder}",
            details=(f"needed: {size} for this file", str(error.strerror)),
            todo="Make room there (about 150 MiB in all), or set XDG_CACHE_HOME to a folder with room.",
        )
    return NotStoredError(
        f"istioctl cannot be kept in {folder}",
        details=(str(error),),
        todo="Make the folder writable, or set XDG_CACHE_HOME to one that is.",
    )


def mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
