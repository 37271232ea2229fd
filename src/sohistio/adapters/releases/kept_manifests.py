"""What an istioctl made of an IstioOperator, kept: it depends on these two alone, and takes a second."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sohistio.system.bounded_file import make_own_folder, own_bytes
from sohistio.system.replaced_file import put_in_place

_MOST_KEPT = 64
_MOST_BYTES = 64 << 20
"""Far more than any has: that of all of Istio is half a MiB."""
# Of these files: another sohistio may share the folder.
_FORM = "2"


@dataclass(frozen=True, slots=True)
class KeptManifests:
    """In a folder of the cache. What cannot be kept, or read, is made anew: nothing here is an error.

    A file's first line is the SHA-256 of its name's key and of the rest: a copy under another's name is not believed.
    Nor is what somebody else may have written.
    """

    folder: Path

    def of(self, istioctl: str, operator: str, make: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """The objects, the caller's own: kept, or made now. `istioctl` is the binary's SHA-256, "" where not known."""
        if not istioctl:
            return make()
        key = hashlib.sha256("\n".join((_FORM, istioctl, operator)).encode()).hexdigest()
        path = self.folder / f"{key}.json"
        objects = _read(path, key)
        if objects is None:
            objects = make()
            self._keep(path, key, objects)
        return objects

    def _keep(self, path: Path, key: str, objects: Sequence[dict[str, Any]]) -> None:
        """Those that were not asked for longest make room. What JSON cannot say is not kept."""
        try:
            text = json.dumps(objects)
            if json.loads(text) != objects:
                return
            make_own_folder(self.folder, 0o700)
            put_in_place(path, f"{_checksum(key, text.encode()).decode()}\n{text}", 0o600)
            self._make_room()
        except (OSError, ValueError, TypeError):
            return

    def _make_room(self) -> None:
        kept = sorted(self.folder.glob("*.json"), key=lambda path: path.lstat().st_mtime, reverse=True)
        for path in kept[_MOST_KEPT:]:
            with contextlib.suppress(OSError):
                path.unlink()


def _read(path: Path, key: str) -> list[dict[str, Any]] | None:
    try:
        checksum, _, text = own_bytes(path, _MOST_BYTES).partition(b"\n")
        if checksum != _checksum(key, text):
            return None
        objects: list[dict[str, Any]] = json.loads(text)
        os.utime(path)
    except (OSError, ValueError, RecursionError):
        return None
    return objects


def _checksum(key: str, text: bytes) -> bytes:
    return hashlib.sha256(b"\n".join((key.encode(), text))).hexdigest().encode()
