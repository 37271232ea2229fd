"""Taking the one binary out of a release archive that is not trusted to be well-meant."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from sohistio.adapters.releases.cache_folder import cannot_store, mebibytes
from sohistio.adapters.releases.mirror import Platform
from sohistio.errors import NotObtainedError

MAX_UNPACKED = 400 * 2**20
"""Bytes an archive may unpack to; istioctl itself is about 110 MiB."""

_CHUNK = 2**18
# An OSError here is of reading, such as gzip.BadGzipFile, or a seek to where an offset in a zip leads: what cannot be
# written has its own words by then (`_copy`). A ValueError is of a header: a number or a name that is none.
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _UnsafeError(Exception):
    """A member that no release has."""


def unpack_binary(archive: Path, platform: Platform, target: Path, *, limit: int = MAX_UNPACKED) -> None:
    """Write the archive's istioctl to `target`, executable.

    Nothing else is ever written, so no name in the archive decides about a path. An archive with an absolute path,
    `..`, a link or a device is refused whole, as is one that unpacks to more than `limit` bytes, is broken, or has not
    exactly one istioctl. Raises NotObtainedError.
    """
    take = _from_zip if platform.os == "win" else _from_tar
    try:
        found = take(archive, platform, target, limit)
    except _UnsafeError as error:
        raise NotObtainedError(
            f"The archive {archive.name} is not safe to unpack: {error}",
            todo="Do not use this archive; tell whoever runs the mirror.",
        ) from None
    except _BROKEN as error:
        raise NotObtainedError(
            f"The archive {archive.name} is damaged or cut off",
            details=(f"{type(error).__name__}: {error}",),
            todo="Have the mirror take the release from its source again, or use another mirror.",
        ) from error
    if not found:
        raise NotObtainedError(
            f"The archive {archive.name} holds no file {platform.binary}",
            todo="Check what the mirror serves under this name.",
        )


def _from_tar(archive: Path, platform: Platform, target: Path, limit: int) -> bool:
    found = False
    with gzip.open(archive) as packed:
        plain = _Bounded(packed, limit)
        members = tarfile.open(fileobj=plain, mode="r|")  # noqa: SIM115 - a stream of headers; nothing to close
        for member in members:
            _check(member.name, plain=member.isreg() or member.isdir())
            if _is_binary(member.name, platform):
                _once(found)
                content = members.extractfile(member)
                if content is None:
                    raise _UnsafeError(f"{member.name} is not a file")
                _copy(content, target, member.size, limit)
                found = True
        while plain.read(_CHUNK):  # to the end, where the checksum is
            pass
    return found


def _from_zip(archive: Path, platform: Platform, target: Path, limit: int) -> bool:
    found = False
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            _check(member.filename, plain=kind in (0, stat.S_IFREG, stat.S_IFDIR))
            if member.flag_bits & 1:
                raise _UnsafeError(f"{member.filename} is encrypted")
            if member.compress_type not in _PACKINGS:
                raise _UnsafeError(f"{member.filename} is packed as no release is")
            if _is_binary(member.filename, platform):
                _once(found)
                with members.open(member) as content:
                    _copy(content, target, member.file_size, limit)
                found = True
    return found


def _check(name: str, *, plain: bool) -> None:
    path = PureWindowsPath(name)  # takes / and \ for separators, and knows drives
    if path.drive or path.root:
        raise _UnsafeError(f"the path of {name!r} is absolute")
    if ".." in path.parts:
        raise _UnsafeError(f"the path of {name!r} leaves the archive")
    if not plain:
        raise _UnsafeError(f"{name!r} is neither a file nor a folder")


def _is_binary(name: str, platform: Platform) -> bool:
    return PurePosixPath(name) == PurePosixPath(platform.binary)


def _once(found: bool) -> None:
    if found:
        raise _UnsafeError("it holds istioctl twice")


def _copy(content: IO[bytes], target: Path, size: int, limit: int) -> None:
    try:
        with target.open("wb") as output:
            for chunk in _chunks(content, limit):
                output.write(chunk)
        target.chmod(0o755)
    except OSError as error:
        raise cannot_store(error, target.parent.parent, size) from error


def _chunks(content: IO[bytes], limit: int) -> Iterator[bytes]:
    taken = 0
    while chunk := _read(content):
        taken += len(chunk)
        if taken > limit:
            raise _UnsafeError(f"it unpacks to more than {mebibytes(limit)}")
        yield chunk


def _read(content: IO[bytes]) -> bytes:
    try:
        return content.read(_CHUNK)
    except OSError as error:  # not to be taken for one of writing
        raise EOFError(str(error)) from error


class _Bounded(io.RawIOBase):
    """Reads from `source` until more than `limit` bytes have come: what stands before istioctl counts as well."""

    def __init__(self, source: gzip.GzipFile, limit: int) -> None:
        super().__init__()
        self._source = source
        self._left = limit

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(min(size, _CHUNK) if size >= 0 else _CHUNK)
        self._left -= len(chunk)
        if self._left < 0:
            raise _UnsafeError("it unpacks to more than the size allowed")
        return chunk
