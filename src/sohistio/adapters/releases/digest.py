"""The SHA-256 of a large file that rarely changes: taken once, and again as soon as the file is not what it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from pathlib import Path

from sohistio.system.bounded_file import own_bytes
from sohistio.system.replaced_file import put_in_place

_PIECE = 32 << 20
"""Bytes: while one is hashed other threads run; many small ones would wait for those time and again."""
_MOST_NOTED = 4096
SETTLED = 2.0
"""Seconds: a file may be written twice within one tick of its file system's clock, so a new one is not yet believed."""


def sha256_of(path: Path) -> str:
    """In hexadecimal. Raises OSError."""
    digest, piece = hashlib.sha256(), memoryview(bytearray(_PIECE))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(piece):
            digest.update(piece[:size])
    return digest.hexdigest()


def known_sha256(path: Path, settled: float = SETTLED) -> str:
    """As `sha256_of`, remembered in a file beside it with the file's size, times and inode. Raises OSError.

    A note that somebody else may have written is not believed.
    Any write to the file changes its ctime, which only the system sets: then it is read again.
    """
    status = path.stat()
    seen = [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    note = path.with_name(f"{path.name}.seen.json")
    try:
        known = json.loads(own_bytes(note, _MOST_NOTED))
        if known["file"] == seen:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    digest = sha256_of(path)
    if time.time() - status.st_ctime > settled:
        with contextlib.suppress(OSError):  # a cache that may only be read
            put_in_place(note, json.dumps({"file": seen, "sha256": digest}) + "\n", 0o600)
    return digest
