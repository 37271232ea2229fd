"""environments/istioctl.lock: what is read from it, what is refused, and what `sohistio env lock` writes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from release_mirror import ReleaseMirror
from sohistio.adapters.releases.downloads import Patience
from sohistio.adapters.releases.lock import LockReport, lock_versions, read_lock, write_lock
from sohistio.adapters.releases.mirror import PLATFORMS, Mirror, Platform
from sohistio.errors import RefusedError, UsageError
from sohistio.model.versions import Version

V30, V31 = Version.parse("1.30.2"), Version.parse("1.31.1")
LINUX, WINDOWS = Platform("linux", "amd64"), Platform("win", "amd64")
A, B = "a" * 64, "b" * 64
QUICK = Patience(attempts=2, first_wait=0.01, longest_wait=0.1, connect=5, silence=5, total=10)


@pytest.fixture
def mirror() -> Iterator[ReleaseMirror]:
    with ReleaseMirror() as running:
        for version in (V30, V31):
            for where in PLATFORMS:
                running.publish(str(version), where, body=f"{version} {where}".encode())
        yield running


def lock(path: Path, mirror: ReleaseMirror, *versions: Version) -> LockReport:
    return lock_versions(path, versions, Mirror.parse(mirror.url), say=lambda _: None, patience=QUICK)


def digest(version: Version, where: Platform) -> str:
    return hashlib.sha256(f"{version} {where}".encode()).hexdigest()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "environments" / "istioctl.lock"
    pins = {(V31, WINDOWS): A, (V31, LINUX): B, (V30, LINUX): A}
    write_lock(path, pins)
    assert read_lock(path) == pins
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert lines == [
        f"{A}  istioctl-1.30.2-linux-amd64.tar.gz",
        f"{B}  istioctl-1.31.1-linux-amd64.tar.gz",
        f"{A}  istioctl-1.31.1-win-amd64.zip",
    ]
    assert [entry.name for entry in path.parent.iterdir()] == ["istioctl.lock"]


def test_no_file_pins_nothing(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "istioctl.lock") == {}


@pytest.mark.parametrize(
    "line",
    [
        f"{A} istioctl-1.31.1-linux-amd64.tar.gz",
        f"{A[:-1]}  istioctl-1.31.1-linux-amd64.tar.gz",
        f"{A.upper()}  istioctl-1.31.1-linux-amd64.tar.gz",
        f"{A}  istioctl-1.31.1-linux-s390x.tar.gz",
        f"{A}  istioctl-1.31.1-win-amd64.tar.gz",
        f"{A}  kubectl-1.31.1-linux-amd64.tar.gz",
        "<<<<<<< HEAD",
    ],
)
def test_a_line_that_is_no_pin_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "istioctl.lock"
    path.write_text(f"# pins\n\n{line}\n")
    with pytest.raises(UsageError) as caught:
        read_lock(path)
    assert caught.value.what == f"{path}:3: this is not a pin"
    assert line in caught.value.details


def test_a_version_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "istioctl.lock"
    path.write_text(f"{A}  istioctl-1.31-linux-amd64.tar.gz\n")
    with pytest.raises(UsageError, match=r"istioctl\.lock:1: this is not a pin"):
        read_lock(path)


def test_two_pins_of_one_release(tmp_path: Path) -> None:
    path = tmp_path / "istioctl.lock"
    line = "  istioctl-1.31.1-linux-amd64.tar.gz\n"
    path.write_text(f"{A}{line}{A}{line}")
    assert read_lock(path) == {(V31, LINUX): A}
    path.write_text(f"{A}{line}{B}{line}")
    with pytest.raises(UsageError, match=r":2: .* is pinned twice"):
        read_lock(path)


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"\xff\xfe"), lambda path: path.mkdir()])
def test_a_file_that_cannot_be_read(tmp_path: Path, make: object) -> None:
    path = tmp_path / "istioctl.lock"
    assert callable(make)
    make(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_lock(path)


def test_every_platform_is_locked(tmp_path: Path, mirror: ReleaseMirror) -> None:
    path = tmp_path / "istioctl.lock"
    report = lock(path, mirror, V31, V30)
    assert read_lock(path) == {(v, p): digest(v, p) for v in (V30, V31) for p in PLATFORMS}
    assert len(report.added) == 12
    assert (report.changed, report.missing) == ((), ())
    first = path.read_bytes()
    assert lock(path, mirror, V30, V31) == LockReport((), (), ())
    assert path.read_bytes() == first


def test_a_platform_the_mirror_has_not_is_reported(tmp_path: Path, mirror: ReleaseMirror) -> None:
    del mirror.files[f"/releases/1.31.1/{WINDOWS.archive(V31)}.sha256"]
    path = tmp_path / "istioctl.lock"
    report = lock(path, mirror, V31)
    assert report.missing == ((V31, WINDOWS),)
    assert (V31, WINDOWS) not in read_lock(path)
    assert len(report.added) == 5


def test_other_pins_stay_and_changed_ones_are_reported(tmp_path: Path, mirror: ReleaseMirror) -> None:
    path = tmp_path / "istioctl.lock"
    write_lock(path, {(V30, LINUX): A, (V31, LINUX): B})
    report = lock(path, mirror, V31)
    assert report.changed == (((V31, LINUX), B, digest(V31, LINUX)),)
    assert len(report.added) == 5
    assert read_lock(path)[V30, LINUX] == A


def test_nothing_is_written_where_the_mirror_has_not_the_version(tmp_path: Path, mirror: ReleaseMirror) -> None:
    path = tmp_path / "istioctl.lock"
    write_lock(path, {(V30, LINUX): A})
    before = path.read_bytes()
    with pytest.raises(RefusedError, match=r"has no istioctl 1\.29\.0"):
        lock(path, mirror, V31, Version.parse("1.29.0"))
    assert path.read_bytes() == before


def test_nothing_is_written_where_the_mirror_says_no(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.files[f"/releases/1.31.1/{WINDOWS.archive(V31)}.sha256"].status = 403
    path = tmp_path / "istioctl.lock"
    with pytest.raises(RefusedError, match="answered 403"):
        lock(path, mirror, V31)
    assert not path.exists()


def test_sha256sum_reads_it(tmp_path: Path, mirror: ReleaseMirror) -> None:
    """The format's promise; where the tool is missing (Windows, some macOS) the other tests still hold it."""
    tool = shutil.which("sha256sum")
    lock(tmp_path / "istioctl.lock", mirror, V31)
    for where in PLATFORMS:
        (tmp_path / where.archive(V31)).write_bytes(f"{V31} {where}".encode())
    if tool:
        done = subprocess.run([tool, "-c", "istioctl.lock"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
