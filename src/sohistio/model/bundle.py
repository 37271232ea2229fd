"""What a bundle says of itself: bundle.json, the first file in it. Pure.

A bundle is one archive with all that an environment needs from the internet: istioctl, images, pins, environment files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from sohistio.errors import NotObtainedError

NAME = "bundle.json"
SCHEMA_VERSION = 1
MAX_FILE = 8 * 2**30
"""Bytes of one file; the layers of Istio's images are below 100 MiB."""

_KIND = "Bundle"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class BundledFile:
    """Size in bytes, and SHA-256 in hex."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """`files` has every file of the bundle by its path in it, but bundle.json itself."""

    environment: str
    version: str
    files: Mapping[str, BundledFile]

    def document(self) -> dict[str, Any]:
        """As bundle.json has it."""
        files = {path: {"size": item.size, "sha256": item.sha256} for path, item in sorted(self.files.items())}
        return {
            "schemaVersion": SCHEMA_VERSION,
            "kind": _KIND,
            "environment": self.environment,
            "version": self.version,
            "files": files,
        }

    def text(self) -> str:
        """As it is written."""
        return json.dumps(self.document(), indent=1) + "\n"

    @classmethod
    def parse(cls, text: str, where: str) -> Contents:
        """Read bundle.json of the archive `where`. Raises NotObtainedError for anything that no bundle has."""
        try:
            return cls._parsed(text, where)
        except ValueError as error:
            raise NotObtainedError(
                f"{where} is no bundle: its {NAME} cannot be used",
                details=(str(error),),
                todo="Make it again with `sohistio bundle`.",
            ) from None

    @classmethod
    def _parsed(cls, text: str, where: str) -> Contents:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("it is no JSON") from None
        if not isinstance(found, dict) or found.get("kind") != _KIND:
            raise ValueError(f"it is no JSON object of the kind {_KIND}")
        if (schema := found.get("schemaVersion")) != SCHEMA_VERSION:
            raise NotObtainedError(
                f"{where} has the schema version {schema}, and this sohistio reads {SCHEMA_VERSION}",
                todo="Use the sohistio that made it, or make it again.",
            )
        environment, version, listed = (found.get(key) for key in ("environment", "version", "files"))
        if not isinstance(listed, dict):
            raise ValueError("it lists no files")
        files = {path: _file(path, item) for path, item in listed.items()}
        if not _has(files, "environments", f"{environment}/") or "/" in str(environment):
            raise ValueError(f"it is for the environment {environment!r}, and lists no file of that")
        if not _has(files, "istioctl", f"istioctl-{version}-"):
            raise ValueError(f"it is for Istio {version!r}, and lists no istioctl of that")
        return cls(str(environment), str(version), files)


def is_safe(path: str) -> bool:
    """Whether a path stays below the folder that it is unpacked to, on every system."""
    windows, posix = PureWindowsPath(path), PurePosixPath(path)
    if not path or "\\" in path or ":" in path or "\0" in path or windows.drive or windows.root or posix.is_absolute():
        return False
    return ".." not in posix.parts and str(posix) == path


def _has(files: Mapping[str, BundledFile], folder: str, beginning: str) -> bool:
    return any(path.startswith(f"{folder}/{beginning}") for path in files)


def _file(path: str, item: Any) -> BundledFile:
    size, sha256 = (item.get("size"), item.get("sha256")) if isinstance(item, dict) else (None, None)
    if not is_safe(path) or path == NAME:
        raise ValueError(f"the path {path!r} leaves the bundle")
    if type(size) is not int or not 0 <= size <= MAX_FILE:
        raise ValueError(f"the size of {path} is {size!r}")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"the SHA-256 of {path} is {sha256!r}")
    return BundledFile(size, sha256)
