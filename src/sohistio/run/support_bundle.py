"""Makes a support bundle: all parts read side by side, each within its time, and one archive with an index."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sohistio import __version__
from sohistio.adapters.kubernetes.api import KubeError
from sohistio.errors import FailedError, SohistioError, UsageError
from sohistio.model.document import SCHEMA_VERSION
from sohistio.model.words import first_names
from sohistio.planning.support import Content, SupportPart, Texts
from sohistio.run.bundle import check_out
from sohistio.system.parallel import in_time

_MOST_BYTES = 8 * 1024 * 1024
_MOST_NAMED = 2
_FORBIDDEN = "rbac/reader.yaml and rbac/support.yaml have the rights"

ToText = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Collected:
    """What became of one part: its files, by name, and the problem; where some could not be read it has both."""

    part: SupportPart
    files: Mapping[str, str]
    problem: str = ""

    @property
    def bytes(self) -> int:
        """Of all its files."""
        return sum(len(text.encode()) for text in self.files.values())

    def document(self) -> dict[str, Any]:
        """As JSON, for the index."""
        return {
            "name": self.part.name,
            "files": sorted(self.files),
            "bytes": self.bytes,
            "freeText": self.part.free_text,
            "problem": self.problem or None,
        }


def check_new(path: Path) -> None:
    """Raises UsageError where no new file can be made there, before anything is read."""
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already", todo="Give another --out, or remove it.")
    check_out(path)


def collect(parts: Sequence[SupportPart], to_text: ToText) -> tuple[Collected, ...]:
    """Every part, in its order. What cannot be read, comes too late or is too large is its problem, never raised."""
    found = in_time({part.name: (partial(_collected, part, to_text), part.seconds) for part in parts})
    return tuple(
        found.get(part.name) or Collected(part, {}, f"no answer within {part.seconds:.0f} s") for part in parts
    )


def write_archive(path: Path, environment: str, collected: Sequence[Collected], now: datetime, to_text: ToText) -> None:
    """A new tar.gz (0600) whose files are below a folder with the archive's name, index.json first.

    Raises FailedError; what was begun of it is removed then.
    """
    index = {
        "schemaVersion": SCHEMA_VERSION,
        "kind": "SupportIndex",
        "environment": environment,
        "made": now.isoformat(timespec="seconds"),
        "sohistio": __version__,
        "parts": [one.document() for one in collected],
    }
    files = {"index.json": f"{to_text(index)}\n"}
    for one in collected:
        files |= one.files
    folder = path.name.removesuffix(".tar.gz")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        with os.fdopen(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
            for name, text in files.items():
                content = text.encode()
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size, entry.mode, entry.mtime = len(content), 0o600, int(now.timestamp())
                archive.addfile(entry, io.BytesIO(content))
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _not_written(path, error) from error
        raise


def _collected(part: SupportPart, to_text: ToText) -> Collected:
    try:
        content = part.read()
        files = _files(part, content.found if isinstance(content, Texts) else content, to_text)
    except SohistioError as error:
        return Collected(part, {}, _reason(error))
    except Exception as error:  # noqa: BLE001 — what keeps one part from being read must not cost the others
        return Collected(part, {}, f"sohistio has a bug here: {type(error).__name__}")
    size = sum(map(len, files.values()))
    if size > _MOST_BYTES:
        return Collected(part, {}, f"larger than {_MOST_BYTES // 1024 // 1024} MiB ({size} bytes)")
    return Collected(part, files, _missing(content.problems) if isinstance(content, Texts) else "")


def _missing(problems: Mapping[str, SohistioError]) -> str:
    """What is missing, by the reasons."""
    by_reason: dict[str, list[str]] = {}
    for what, error in sorted(problems.items()):
        by_reason.setdefault(_reason(error), []).append(what)
    return "; ".join(f"{first_names(missing, _MOST_NAMED)}: {reason}" for reason, missing in by_reason.items())


def _reason(error: SohistioError) -> str:
    """Why a part could not be read, with the API server's words: those of istioctl may quote what it was given."""
    said = error if isinstance(error, KubeError) else error.__cause__
    if not isinstance(said, KubeError):
        return error.what
    words = ": ".join(dict.fromkeys((error.what, said.what, *said.details[:1])))
    return f"{words}; {_FORBIDDEN}" if said.status == 403 else words


def _files(part: SupportPart, content: Content, to_text: ToText) -> dict[str, str]:
    if part.file.endswith(".json"):
        return {part.file: f"{to_text(content)}\n"}
    return {f"{part.file}/{name}": str(text) for name, text in content.items()}


def _not_written(path: Path, error: OSError) -> FailedError:
    return FailedError(
        f"{path} could not be written",
        details=(error.strerror or str(error),),
        todo="Check the folder (space, permissions), or give another --out.",
    )
