"""Archives of istioctl with the layout of Istio's releases: the same bytes whenever they are made."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from pathlib import Path


def write_release(binary: Path, archive: Path) -> None:
    """Pack an istioctl into `archive`, with its checksum in `<archive>.sha256` beside it.

    The checksum goes first: a release is there when its archive is.
    """
    fresh = archive.with_name(f".{archive.name}.new")
    with (
        fresh.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        binary.open("rb") as content,
    ):
        entry = tarfile.TarInfo("istioctl")
        entry.size = binary.stat().st_size
        entry.mode = 0o755
        tar.addfile(entry, content)
    with fresh.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    archive.with_name(f"{archive.name}.sha256").write_text(f"{digest} {archive.name}\n", encoding="ascii")
    fresh.replace(archive)
