"""The pins of images, environments/images.lock: which digest a tag of the source has, whatever a registry says later.

Digests are kept by a mirror, so a pin holds for the source and for every hub.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from sohistio.errors import UsageError
from sohistio.model.image import Image, is_digest

NAME = "images.lock"
_HEADER = """\
# Digests of the images that may be used, as their source has them; every platform of an image has the same.
# Written by `sohistio images mirror`. Review a changed line as you would review a changed program.
"""
_ROOM = 16_384
"""Bytes: what the pins of a version's images take at most, and what a file system needs for a file."""
_LINE = re.compile(r"(\S+) +(\S+)")

Pins = Mapping[Image, str]
"""Source image by tag → digest."""


def read_images_lock(path: Path) -> dict[Image, str]:
    """The pinned digest of each image; empty where there is no file. Raises UsageError naming the line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read", details=(str(error),), todo="Check the file.") from error
    pins: dict[Image, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        image, digest = _read_line(line.strip(), f"{path}:{number}")
        if pins.setdefault(image, digest) != digest:
            raise UsageError(
                f"{path}:{number}: {image} is pinned twice, to different digests",
                todo="Keep the right line, or delete both and mirror again.",
            )
    return pins


def write_images_lock(path: Path, pins: Pins) -> None:
    """Write the pins, all at once: what is there keeps its place and its comments, what is new comes sorted after it.

    Raises UsageError, also for a file that is no longer one of pins.
    """
    text = "".join(f"{line}\n" for line in _lines(path, pins))
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".lock-") as folder:
            fresh = Path(folder) / path.name
            fresh.write_text(text, encoding="utf-8", newline="\n")
            fresh.replace(path)
    except OSError as error:
        raise _not_written(path, error) from error


def check_writable(path: Path) -> None:
    """Raises UsageError where the file could not be written now: no permission, no room for twice what it has."""
    size = path.stat().st_size if path.is_file() else 0
    try:
        with tempfile.TemporaryFile(dir=path.parent) as file:
            file.write(b"\0" * (2 * size + _ROOM))
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path} cannot be written",
        details=(error.strerror or str(error),),
        todo=f"Check the permissions of {path.parent}, and the room in it.",
    )


def _lines(path: Path, pins: Pins) -> Iterator[str]:
    before = read_images_lock(path)
    kept = path.read_text(encoding="utf-8-sig").splitlines() if before else _HEADER.splitlines()
    for line in kept:
        is_pin = line.strip() and not line.startswith("#")
        image = Image.parse(line.split()[1]) if is_pin else None
        if image is None:
            yield line
        elif image in pins:
            yield f"{pins[image]}  {image}"
    yield from (f"{pins[image]}  {image}" for image in sorted(set(pins) - set(before)))


def _read_line(line: str, where: str) -> tuple[Image, str]:
    match = _LINE.fullmatch(line)
    if match and is_digest(match[1]):
        try:
            image = Image.parse(match[2])
        except UsageError:
            image = None
        if image is not None and image.tag and not image.digest and str(image) == match[2]:
            return image, match[1]
    raise UsageError(
        f"{where}: this is not a pin",
        details=(line[:200], "expected: sha256:<64 lower-case hex digits>  docker.io/istio/pilot:1.31.1"),
        todo="Correct the line, or delete it and mirror again.",
    )
