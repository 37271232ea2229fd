"""A folder of this process alone (0700), removed at its end. What killed processes left goes with the next one.

A folder is in use as long as its process lives: that holds a lock on it, which the kernel frees at any end. Where
machines share a home, each removes its own only: whether another's process lives cannot always be seen from here.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from sohistio.system.file_lock import try_lock

_LOCK = "in-use"
# Another process that removes leftovers may take a folder before its lock is had, but not time and again.
_TRIES = 20
_making = threading.Lock()
_made: dict[Path, Path] = {}


def private_folder(parent: Path) -> Path:
    """The folder of this process below `parent`, one for all of its threads. Raises OSError."""
    with _making:
        if parent not in _made:
            parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _remove_leftovers(parent, _host())
            folder, handle = _new(parent, _host())
            # Forked children end without atexit's functions; what is started otherwise does not inherit the handle.
            atexit.register(_remove, folder, handle)
            _made[parent] = folder
        return _made[parent]


@contextlib.contextmanager
def working_folder(parent: Path, name: str) -> Iterator[Path]:
    """A folder below `parent` for the block. What a killed process left there under the same `name` is removed first.

    Its own file `in-use` is in it. Raises OSError.
    """
    beginning = f"{name}-{_host()}"
    _remove_leftovers(parent, beginning)
    folder, handle = _new(parent, beginning)
    try:
        yield folder
    finally:
        _remove(folder, handle)


def _new(parent: Path, beginning: str) -> tuple[Path, int]:
    """A new folder, and its lock."""
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=f"{beginning}-{os.getpid()}-", dir=parent))  # 0700
        try:
            handle = _held(folder)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if handle is not None:
            return folder, handle
    raise OSError(f"no folder in {parent} could be kept: other processes remove them")


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname())


def _remove(folder: Path, handle: int) -> None:
    if sys.platform == "win32":
        os.close(handle)  # an open file cannot be removed there
        shutil.rmtree(folder, ignore_errors=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _held(folder: Path) -> int | None:
    """The lock of a folder, None where another process has it or just removed the folder as a leftover."""
    return try_lock(folder / _LOCK)


def _remove_leftovers(parent: Path, beginning: str) -> None:
    for folder in parent.iterdir():
        if folder.name.rsplit("-", 2)[0] != beginning or folder.is_symlink() or not folder.is_dir():
            continue
        with contextlib.suppress(OSError):  # one that stays harms nobody
            if not (folder / _LOCK).exists():
                folder.rmdir()  # whoever is just making it makes another one
            elif (handle := _held(folder)) is not None:
                _remove(folder, handle)
