"""A backup's folder: what is in it, written privately and read back with its checksums. Knows no cluster."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sohistio.errors import FailedError, UsageError

CONTENTS = "backup.json"
CUSTOM_RESOURCES = "custom-resources.json"
AUTHORITY = "ca.json"
SEALED_AUTHORITY = "ca-key.sealed.json"
INSTALLED = "installed.json"
OPERATOR = "istiooperator.yaml"
RECORD = "record.json"
_SCHEMA_VERSION = "1"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as it was read. `about` is backup.json; `sealed_authority` is None where the CA's key is not in it."""

    folder: Path
    about: Mapping[str, Any]
    custom_resources: tuple[Document, ...]
    authority: Mapping[str, Any]
    sealed_authority: Mapping[str, Any] | None = None

    @property
    def environment(self) -> str:
        """Whose backup it is."""
        return str(self.about["environment"])


def write_backup(folder: Path, about: Mapping[str, Any], files: Mapping[str, Document | str]) -> None:
    """Write a new folder (0700) of files (0600), backup.json with their checksums last. Raises FailedError."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        sums = {name: _write(folder / name, content) for name, content in files.items()}
        _write(folder / CONTENTS, {"schemaVersion": _SCHEMA_VERSION, **about, "files": sums})
    except OSError as error:
        raise FailedError(
            f"the backup could not be written to {folder}",
            details=(str(error),),
            todo="See to the folder (space, permissions) or set XDG_STATE_HOME; the cluster is as it was.",
        ) from error


def _write(path: Path, content: Document | str) -> str:
    text = content if isinstance(content, str) else json.dumps(content, indent=1) + "\n"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return hashlib.sha256(text.encode()).hexdigest()


def read_backup(folder: Path) -> Backup:
    """Read a backup. Raises UsageError where it is none, is not whole, or was changed since it was written."""
    about = _json(folder, CONTENTS)
    try:
        if about["schemaVersion"] != _SCHEMA_VERSION:
            raise ValueError(f"its schemaVersion is {about['schemaVersion']!r}")
        for name, checksum in about["files"].items():
            if hashlib.sha256((folder / Path(name).name).read_bytes()).hexdigest() != checksum:
                raise ValueError(f"{name} is not what was written: its checksum is another one")
        sealed = _json(folder, SEALED_AUTHORITY) if SEALED_AUTHORITY in about["files"] else None
        resources = tuple(_json(folder, CUSTOM_RESOURCES)["items"])
        backup = Backup(folder, about, resources, _json(folder, AUTHORITY), sealed)
        if not backup.environment:
            raise ValueError("it names no environment")
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:
        raise _broken(folder, error) from error
    return backup


def _json(folder: Path, name: str) -> Document:
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError(f"{name} holds no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(folder, error) from error
    return found


def _broken(folder: Path, error: Exception) -> UsageError:
    words = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return UsageError(
        f"{folder} is not a whole backup",
        details=(words,),
        todo="Give the folder that `sohistio history` names; the newest of a run that was killed may not be finished.",
    )
