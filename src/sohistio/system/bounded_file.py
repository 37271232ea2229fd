"""Files that may not be what they should be: read without hanging, without end, and only where nobody else wrote them.

Opening a pipe waits for its writer, and a device such as /dev/zero never ends. A file of the cache that somebody else
may write says whatever they want: that is not believed.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_OTHERS_WRITE = 0o022
_ROOT = 0


class NotOrdinaryError(OSError):
    """It is a pipe, a device, a folder or a link."""


class TooLargeError(OSError):
    """It has more bytes than anything that belongs there."""


class NotOwnError(OSError):
    """Somebody else than this user, or root, may have written it."""


def bounded_bytes(path: Path, most: int) -> bytes:
    """All of an ordinary file of at most so many bytes, links followed. Raises OSError."""
    return _content(path, most, _READ, lambda _: None)


def own_bytes(path: Path, most: int) -> bytes:
    """As `bounded_bytes`, of a file that nobody else may have written, in such a folder; neither is a link."""
    check_own_folder(path.parent)
    return _content(path, most, _READ | _NO_LINK, lambda status: _check_owner(path, status))


def check_own_file(path: Path) -> None:
    """What `own_bytes` asks of a file, where it is not to be read as a whole. Raises OSError."""
    check_own_folder(path.parent)
    status = path.lstat()
    _check_ordinary(path, status)
    _check_owner(path, status)


def check_own_folder(folder: Path) -> None:
    """Raises OSError where others may put files into it, or where it is a link."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotOwnError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    _check_owner(folder, status)


def make_own_folder(folder: Path, mode: int) -> None:
    """Make it, or take from others the right to write into one of this user's. Raises OSError where it is not own."""
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    status = folder.lstat()
    if sys.platform != "win32" and stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
        if status.st_mode & _OTHERS_WRITE:
            folder.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS_WRITE)
    check_own_folder(folder)


def _content(path: Path, most: int, flags: int, check: Callable[[os.stat_result], None]) -> bytes:
    try:
        handle = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP and path.is_symlink():
            raise _not_ordinary(path) from error
        raise
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        _check_ordinary(path, status)
        check(status)
        content = file.read(most + 1)  # it may grow meanwhile
    if len(content) > most:
        raise TooLargeError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def _check_ordinary(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _not_ordinary(path)


def _check_owner(path: Path, status: os.stat_result) -> None:
    """Windows has neither owners' numbers nor these modes: a home folder there is its user's."""
    if sys.platform == "win32":
        return
    if status.st_uid not in (os.geteuid(), _ROOT) or status.st_mode & _OTHERS_WRITE:
        raise NotOwnError(errno.EPERM, "others may have written it", str(path))


def _not_ordinary(path: Path) -> NotOrdinaryError:
    return NotOrdinaryError(errno.EINVAL, "it is no ordinary file", str(path))
