"""A folder of this process alone (0700), removed at its end. What killed processes left goes with the next one.

A folder is in use as long as its process lives: that holds a lock on it, which the kernel frees at any end.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path

_LOCK = "in-use"
_making = threading.Lock()
_made: dict[Path, Path] = {}


def private_folder(parent: Path) -> Path:
    """The folder of this process below `parent`, one for all of its threads. Raises OSError."""
    with _making:
        if parent not in _made:
            parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _remove_leftovers(parent)
            _made[parent] = _new(parent)
        return _made[parent]


def _new(parent: Path) -> Path:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))  # 0700
        handle = _held(folder)
        if handle is not None:
            break
    # Forked children end without atexit's functions; what is started otherwise does not inherit the handle.
    atexit.register(_remove, folder, handle)
    return folder


def _remove(folder: Path, handle: int) -> None:
    if sys.platform == "win32":
        os.close(handle)  # an open file cannot be removed there
        shutil.rmtree(folder, ignore_errors=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _held(folder: Path) -> int | None:
    """The lock of a folder, None where another process has it or just removed the folder as a leftover."""
    lock = folder / _LOCK
    try:
        if sys.platform == "win32":
            # There, nobody can remove a file that is open: that is the lock.
            lock.unlink(missing_ok=True)
            return os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        import fcntl

        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle).st_ino == lock.stat().st_ino:
                return handle
        except OSError:
            pass
        os.close(handle)
    except OSError:
        pass
    return None


def _remove_leftovers(parent: Path) -> None:
    for folder in parent.iterdir():
        if folder.is_symlink() or not folder.is_dir():
            continue
        if not (folder / _LOCK).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()  # whoever is just making it makes another one
        elif (handle := _held(folder)) is not None:
            _remove(folder, handle)
