"""An archive gives up one binary, or is refused whole."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from obtaining import files, obtain, refusal
from release_mirror import ReleaseMirror, script, tar_gz
from sohistio.adapters.releases.archives import unpack_binary
from sohistio.adapters.releases.mirror import Platform
from sohistio.errors import RefusedError


@pytest.fixture
def mirror() -> Iterator[ReleaseMirror]:
    with ReleaseMirror() as running:
        yield running


def _tar_with(entry: tarfile.TarInfo) -> bytes:
    """A good istioctl and then the bad member: the good one is out by the time the bad one is seen."""
    content = script("1.31.1")
    good = tarfile.TarInfo("istioctl")
    good.size = len(content)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(good, io.BytesIO(content))
        archive.addfile(entry)
    return packed.getvalue()


def _entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    entry.linkname = link
    return entry


@pytest.mark.parametrize(
    "entry",
    [
        _entry("../istioctl"),
        _entry("bin/../../istioctl"),
        _entry("/usr/bin/istioctl"),
        _entry("..\\istioctl"),
        _entry("C:\\istioctl"),
        _entry("link", tarfile.SYMTYPE, "/etc/passwd"),
        _entry("link", tarfile.LNKTYPE, "istioctl"),
        _entry("device", tarfile.CHRTYPE),
        _entry("pipe", tarfile.FIFOTYPE),
        _entry("istioctl"),
    ],
    ids=lambda entry: f"{entry.name}-{entry.type.decode()}",
)
def test_an_archive_with_one_bad_member_is_refused_whole(
    tmp_path: Path, mirror: ReleaseMirror, entry: tarfile.TarInfo
) -> None:
    mirror.publish("1.31.1", body=_tar_with(entry))
    assert "is not safe to unpack" in refusal(tmp_path / "cache", mirror.url)
    assert not (tmp_path / "istioctl").exists()


def test_other_files_of_an_archive_are_left_alone(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1", body=tar_gz(("LICENSE", b"x"), ("./istioctl", script("1.31.1")), ("doc/istioctl", b"x")))
    obtain(tmp_path, mirror.url)
    assert files(tmp_path) == ["istioctl", "istioctl.json"]


_WHOLE = tar_gz(("istioctl", script("1.31.1", 5000)))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>sign in</html>", _WHOLE[:-4], _WHOLE[: len(_WHOLE) // 2], _WHOLE[:-8] + b"\0" * 8],
    ids=["empty", "a web page", "end missing", "half", "wrong CRC"],
)
def test_a_broken_archive(tmp_path: Path, mirror: ReleaseMirror, body: bytes) -> None:
    mirror.publish("1.31.1", body=body)
    assert "is damaged or cut off" in refusal(tmp_path, mirror.url)


def test_an_archive_without_istioctl(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1", body=tar_gz(("kubectl", b"x")))
    assert "holds no file istioctl" in refusal(tmp_path, mirror.url)


@pytest.mark.parametrize("name", ["istioctl", "other"])
def test_an_archive_that_unpacks_to_too_much(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(tar_gz((name, b"\0" * 2**20)))
    with pytest.raises(RefusedError, match="unpacks to more than"):
        unpack_binary(archive, Platform("linux", "amd64"), tmp_path / "out", limit=2**19)


WINDOWS = Platform("win", "amd64")


def _zip(*names: str, mode: int = stat.S_IFREG | 0o755) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, b"MZ" * 5000)
    return packed.getvalue()


def test_the_zip_for_windows(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(_zip("istioctl.exe", "README"))
    unpack_binary(archive, WINDOWS, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"MZ" * 5000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (_zip("istioctl.exe", "../x"), "not safe"),
        (_zip("istioctl.exe", "/x"), "not safe"),
        (_zip("istioctl.exe", "D:x"), "not safe"),
        (_zip("istioctl.exe", mode=stat.S_IFLNK | 0o777), "not safe"),
        (_zip("istioctl"), "holds no file istioctl.exe"),
        (_zip("istioctl.exe")[:60], "damaged"),
        (_zip("istioctl.exe").replace(b"\x73\xf5", b"\x00\xff", 1)[:-30], "damaged"),
    ],
)
def test_zips_that_are_refused(tmp_path: Path, body: bytes, message: str) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(body)
    with pytest.raises(RefusedError, match=message):
        unpack_binary(archive, WINDOWS, tmp_path / "out")
