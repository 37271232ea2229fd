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

from sohistio.system.replaced_file import write_whole

_MOST_KEPT = 64
# Of these files: another sohistio may share the folder.
_FORM = "1"


@dataclass(frozen=True, slots=True)
class KeptManifests:
    """In a folder of the cache. What cannot be kept, or read, is made anew: nothing here is an error."""

    folder: Path

    def of(self, istioctl: str, operator: str, make: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """The objects, the caller's own: kept, or made now. `istioctl` is the binary's SHA-256, "" where not known."""
        if not istioctl:
            return make()
        key = hashlib.sha256("\n".join((_FORM, istioctl, operator)).encode()).hexdigest()
        path = self.folder / f"{key}.json"
        objects = _read(path)
        if objects is None:
            objects = make()
            self._keep(path, objects)
        return objects

    def _keep(self, path: Path, objects: Sequence[dict[str, Any]]) -> None:
        """Those that were not asked for longest make room. What JSON cannot say is not kept."""
        try:
            text = json.dumps(objects)
            if json.loads(text) != objects:
                return
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(path, f"{_checksum(text.encode()).decode()}\n{text}", 0o600)
            self._make_room()
        except (OSError, ValueError, TypeError):
            return

    def _make_room(self) -> None:
        kept = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[_MOST_KEPT:]:
            with contextlib.suppress(OSError):
                path.unlink()


def _read(path: Path) -> list[dict[str, Any]] | None:
    try:
        checksum, _, text = path.read_bytes().partition(b"\n")
        if checksum != _checksum(text):
            return None
        objects: list[dict[str, Any]] = json.loads(text)
        os.utime(path)
    except (OSError, ValueError, RecursionError):
        return None
    return objects


def _checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
