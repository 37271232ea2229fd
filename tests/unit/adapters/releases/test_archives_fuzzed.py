"""Archives that something has damaged, or somebody made: one binary, or a refusal; and no other file anywhere."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from damage import damaged_bytes
from release_mirror import script, tar_gz
from sohistio.adapters.releases.archives import unpack_binary
from sohistio.adapters.releases.mirror import Platform
from sohistio.errors import NotObtainedError

LINUX, WINDOWS = Platform("linux", "amd64"), Platform("win", "amd64")
CONTENT = script("1.31.1", 3000)
LIMIT = 20_000
# Numbers at the ends of their fields, and what begins the parts of a zip.
_ODD = (
    b"\0",
    b"\xff",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\0" * 512,
    b"7777777",
    b"-1",
    b"\x80" + b"\xff" * 7,
    b"../",
    b"/",
)
_ZIP = (
    *_ODD,
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"\x01\0",
    b"\x0e\0",
    b"\x63\0",
)


def _tar(*members: tuple[str, bytes]) -> bytes:
    return gzip.decompress(tar_gz(*members))


def _zip(*members: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", packing) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def _with(whole: bytes, header: bytes, *changes: int | bytes) -> bytes:
    """With other bytes at places behind the last one of a header."""
    found = bytearray(whole)
    for at, piece in zip(changes[::2], changes[1::2], strict=True):
        begin = whole.rindex(header) + int(at)
        found[begin : begin + 1] = bytes(piece)
    return bytes(found)


def _noted(**headers: str) -> bytes:
    """A tar.gz whose istioctl has such headers of PAX."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("istioctl")
        entry.size, entry.pax_headers = 3, headers
        archive.addfile(entry, io.BytesIO(b"xyz"))
    return packed.getvalue()


TAR, ZIP = _tar(("LICENSE", b"x"), ("istioctl", CONTENT)), _zip(("README", b"x"), ("istioctl.exe", CONTENT))


def unpacked(folder: Path, content: bytes, platform: Platform) -> bytes | None:
    """What was unpacked, None where it was refused. Nothing but the target is there afterwards."""
    work = folder / "work"
    (work / "in").mkdir(parents=True, exist_ok=True)
    archive, target = work / "a.archive", work / "in" / "istioctl"
    archive.write_bytes(content)
    target.unlink(missing_ok=True)
    try:
        unpack_binary(archive, platform, target, limit=LIMIT)
    except NotObtainedError as error:
        found = None
        assert "Nothing was changed on the cluster." in error.todo  # noqa: PT017 - it may be unpacked as well
    else:
        found = target.read_bytes()
        assert stat.S_ISREG(target.lstat().st_mode)
        assert len(found) <= LIMIT
    assert {path for path in folder.rglob("*") if not path.is_dir()} <= {archive, target}
    assert archive.read_bytes() == content
    return found


def test_what_is_damaged_was_good(tmp_path: Path) -> None:
    assert unpacked(tmp_path, gzip.compress(TAR), LINUX) == CONTENT
    assert unpacked(tmp_path, ZIP, WINDOWS) == CONTENT


@settings(max_examples=80)
@given(damaged_bytes(tar_gz(("LICENSE", b"x"), ("istioctl", CONTENT)), _ODD))
def test_a_damaged_gzip_is_refused_or_whole(tmp_path: Path, content: bytes) -> None:
    assert unpacked(tmp_path, content, LINUX) in (None, CONTENT)


@settings(max_examples=150)
@given(damaged_bytes(TAR[:2048], _ODD))
def test_a_damaged_tar_writes_nothing_elsewhere(tmp_path: Path, content: bytes) -> None:
    unpacked(tmp_path, gzip.compress(content + TAR[2048:], 1), LINUX)


@settings(max_examples=150)
@given(damaged_bytes(ZIP, _ZIP))
@example(ZIP[1:])
@example(_with(ZIP, b"PK\x01\x02", 9, b"\x08", 46, b"\xff"))  # a name in UTF-8 that is none
@example(_with(ZIP, b"PK\x01\x02", 10, b"\x0e"))  # LZMA
def test_a_damaged_zip_is_refused_or_whole(tmp_path: Path, content: bytes) -> None:
    assert unpacked(tmp_path, content, WINDOWS) in (None, CONTENT)


@settings(max_examples=40)
@given(st.one_of(st.binary(max_size=200), damaged_bytes(b"<html>sign in</html>")))
@example(b"")
@example(gzip.compress(b""))
@example(gzip.compress(b"\0" * LIMIT * 2))
@example(b"PK\x05\x06" + b"\0" * 18)
@example(b"PK\x05\x06" + b"\xff" * 18)
def test_what_never_was_an_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    assert unpacked(tmp_path, content, LINUX) is None
    assert unpacked(tmp_path, content, WINDOWS) is None


@pytest.mark.parametrize("sparse", [{"GNU.sparse.map": "a,b"}, {"GNU.sparse.size": "x", "GNU.sparse.map": "1,2"}])
def test_a_header_that_is_no_number_is_refused(tmp_path: Path, sparse: dict[str, str]) -> None:
    assert unpacked(tmp_path, _noted(**sparse), LINUX) is None


@pytest.mark.parametrize(("size", "fits"), [(LIMIT // 4, True), (LIMIT + 1, False), (LIMIT * 50, False)])
def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, size: int, fits: bool) -> None:
    assert (unpacked(tmp_path, _zip(("istioctl.exe", b"x" * size)), WINDOWS) is not None) is fits
    assert (unpacked(tmp_path, tar_gz(("istioctl", b"x" * size)), LINUX) is not None) is fits


_NAMES = st.one_of(
    st.sampled_from(["istioctl", "./istioctl", "istioctl/", "bin/istioctl", "ISTIOCTL", "istioctl.exe", "a", ".", ""]),
    st.sampled_from(
        ["../istioctl", "/istioctl", "a/../../x", "C:x", "\\x", "a\\..\\x", "\0", "istioctl\0", "~/x", "é"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
_TYPES = st.sampled_from(
    [tarfile.REGTYPE] * 4
    + [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE]
)
_MEMBERS = st.lists(st.tuples(_NAMES, _TYPES, st.sampled_from([b"", CONTENT, b"x" * LIMIT * 2])), max_size=4)


@settings(max_examples=100)
@given(_MEMBERS)
def test_whatever_somebody_packs_one_binary_comes_out_or_none(
    tmp_path: Path, members: list[tuple[str, bytes, bytes]]
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT, compresslevel=1) as archive:
        for name, kind, content in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            entry.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(content))
    found = unpacked(tmp_path, packed.getvalue(), LINUX)
    if found is not None:
        files = (tarfile.REGTYPE, tarfile.GNUTYPE_SPARSE)
        packed_as = [content if kind == tarfile.REGTYPE else b"" for _, kind, content in members if kind in files]
        assert found in packed_as
        assert all(kind in (*files, tarfile.DIRTYPE) for _, kind, _ in members)
        assert sum(map(len, (content for _, kind, content in members if kind == tarfile.REGTYPE))) <= LIMIT
