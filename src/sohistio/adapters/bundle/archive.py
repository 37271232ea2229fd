"""A bundle as an archive: one plain tar whose first file lists the others with their sizes and digests.

Equal content gives an equal archive, byte for byte. Nothing is compressed: layers and istioctl's archives are already.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sohistio.adapters.releases.cache_folder import mebibytes
from sohistio.errors import NotObtainedError
from sohistio.model.bundle import NAME, BundledFile, Contents

_CHUNK = 2**20
_GZIP = b"\x1f\x8b"
_MOST_LISTED = 16 * 2**20
"""Bytes of bundle.json."""

Wanted = Callable[[str], bool]
"""Whether a file of the bundle, by its path in it, is to be unpacked."""


def write_bundle(folder: Path, target: Path, *, environment: str, version: str) -> Contents:
    """Every file below `folder` as the bundle `target`. Raises OSError, and leaves what it has written by then."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): _described(path) for path in paths}
    contents = Contents(environment, version, files)
    with tarfile.open(target, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add_text(tar, contents.text())
        for path in sorted(files):
            with (folder / path).open("rb") as content:
                tar.addfile(_member(path, files[path].size), content)
    return contents


def read_contents(bundle: Path) -> Contents:
    """What the bundle says that it has; its files are not looked at. Raises NotObtainedError."""
    return _opened(bundle, lambda tar: _contents(tar, bundle))


def unpack_bundle(bundle: Path, folder: Path, wanted: Wanted = lambda _: True) -> Contents:
    """Write the wanted files below `folder`, which is empty; each is there only with its size and digest as listed.

    No name in the archive decides about a path: what is not listed is refused, as is a link, a device, a file twice,
    one that is missing, and whatever a bundle cannot have. Raises NotObtainedError.
    """
    return _opened(bundle, lambda tar: _unpacked(tar, bundle, folder, wanted))


def _opened(bundle: Path, read: Callable[[tarfile.TarFile], Contents]) -> Contents:
    try:
        with bundle.open("rb") as file:
            if file.read(len(_GZIP)) == _GZIP:
                raise _refused(bundle, "it is compressed", f"Uncompress it: `gunzip < {bundle} > bundle.tar`.")
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                return read(tar)
    except (tarfile.TarError, EOFError, UnicodeError) as error:
        raise _refused(bundle, f"it is damaged or cut off ({error})") from error
    except OSError as error:
        raise NotObtainedError(
            f"the bundle {bundle} cannot be used", details=(str(error),), todo="Check the path, and the room for it."
        ) from error


def _contents(tar: tarfile.TarFile, bundle: Path) -> Contents:
    first = tar.next()
    if first is None or first.name != NAME or not first.isreg() or first.size > _MOST_LISTED:
        raise _refused(bundle, f"its first file is not {NAME}")
    text = _content(tar, first).read(first.size)
    if len(text) != first.size:
        raise _refused(bundle, "it is cut off")
    return Contents.parse(text.decode(errors="replace"), str(bundle))


def _unpacked(tar: tarfile.TarFile, bundle: Path, folder: Path, wanted: Wanted) -> Contents:
    contents = _contents(tar, bundle)
    missing = dict(contents.files)
    while (member := tar.next()) is not None:
        listed = missing.pop(member.name, None)
        if listed is None or not member.isreg():
            raise _refused(bundle, f"it holds {member.name!r}, which it does not list so")
        if member.size != listed.size:
            raise _refused(bundle, f"{member.name} has {mebibytes(member.size)}, not {mebibytes(listed.size)}")
        if wanted(member.name):
            _write(_content(tar, member), folder / member.name, listed, bundle)
    if missing:
        raise _refused(bundle, f"it lacks {min(missing)}, which it lists")
    _check_end(bundle, tar.offset)
    return contents


def _check_end(bundle: Path, end: int) -> None:
    """After the last file there are two blocks or more of zeros, up to a whole record, and nothing else."""
    with bundle.open("rb") as file:
        file.seek(end)
        rest = file.read(2 * tarfile.RECORDSIZE)
    if len(rest) < 2 * tarfile.BLOCKSIZE:
        raise _refused(bundle, "it is cut off")
    if rest.strip(b"\0") or len(rest) >= 2 * tarfile.RECORDSIZE:
        raise _refused(bundle, "it goes on after its end")


def _write(content: IO[bytes], target: Path, listed: BundledFile, bundle: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("xb") as output:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            output.write(chunk)
    if digest.hexdigest() != listed.sha256:
        target.unlink()
        raise _refused(bundle, f"{target.name} is not what was put into it: its SHA-256 is {digest.hexdigest()}")


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.TarError(f"{member.name} has no content")
    return content


def _described(path: Path) -> BundledFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return BundledFile(path.stat().st_size, digest)


def _add_text(tar: tarfile.TarFile, text: str) -> None:
    import io

    content = text.encode()
    tar.addfile(_member(NAME, len(content)), io.BytesIO(content))


def _member(name: str, size: int) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)  # its time, owner and group are 0
    found.size, found.mode = size, 0o644
    return found


def _refused(bundle: Path, why: str, todo: str = "") -> NotObtainedError:
    again = "Copy it again, or make it again with `sohistio bundle`; do not use this one."
    return NotObtainedError(f"the bundle {bundle} cannot be used: {why}", todo=todo or again)
