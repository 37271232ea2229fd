"""A file that people keep, written anew: all at once, its mode and owner kept, a link followed."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def exact_text(path: Path) -> str:
    """The text of a file in UTF-8, its line ends and byte order mark as they are. Raises OSError."""
    return path.read_bytes().decode("utf-8")


def replace_text(path: Path, before: str, after: str) -> None:
    """Write `after` in place of `before`; a link stays one, and the file that it leads to is written.

    Whoever reads it finds one of the two, never a part. Raises OSError: also where the file no longer holds `before`,
    or is read-only, which a rename alone would not notice.
    """
    target = path.resolve(strict=True)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    if exact_text(target) != before:
        raise OSError(errno.ESTALE, "it was changed meanwhile", str(target))
    status = target.stat()

    def as_before(fresh: Path) -> None:
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # only root may give a file away
                os.chown(fresh, status.st_uid, status.st_gid)
        fresh.chmod(status.st_mode & 0o7777)

    _put(target, after, as_before)


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file, whether or not there is one, with this mode; where `path` is a link, what it leads to.

    Whoever reads it meanwhile finds the old one or the new one, never a part. Raises OSError.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():  # a device or a folder is not to be replaced by a file
        raise OSError(errno.EINVAL, "it is no ordinary file", str(target))
    _put(target, text, lambda fresh: fresh.chmod(mode))


def put_in_place(path: Path, text: str, mode: int) -> None:
    """As `write_whole`, in the place of what stands there, be it a link or a pipe; a folder stays. Raises OSError."""
    _put(path, text, lambda fresh: fresh.chmod(mode))


def _put(target: Path, text: str, finish: Callable[[Path], None]) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        finish(fresh)
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
