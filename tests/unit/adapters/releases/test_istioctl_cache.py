"""istioctl is the one asked for, as it was published and pinned, or there is none."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from obtaining import VERSION, files, obtain, refusal, said
from release_mirror import HERE, ReleaseMirror, script, tar_gz
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource, cached_istioctl, obtain_istioctl
from sohistio.errors import RefusedError
from sohistio.istioctl import Istioctl


@pytest.fixture
def mirror() -> Iterator[ReleaseMirror]:
    with ReleaseMirror() as running:
        yield running


def test_it_is_fetched_once_and_then_taken_from_the_cache(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    first = obtain(tmp_path, mirror.url)
    assert first.path == tmp_path / "istioctl" / "127.0.0.1" / "1.31.1" / str(HERE) / HERE.binary
    assert os.access(first.path, os.X_OK)
    assert obtain(tmp_path, mirror.url) == first
    assert mirror.asked == [f"{archive}.sha256", archive]
    assert files(tmp_path) == ["istioctl", "istioctl.json"]


def test_a_damaged_cache_is_fetched_again(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1")
    binary = obtain(tmp_path, mirror.url).path
    for damage in (
        lambda: binary.write_bytes(b"#!/bin/sh\necho changed\n"),
        lambda: (binary.parent / "istioctl.json").write_text("{"),
        lambda: (binary.parent / "istioctl.json").write_text("[]"),
        binary.unlink,
    ):
        asked = len(mirror.asked)
        damage()
        obtain(tmp_path, mirror.url)
        assert binary.read_bytes() == script("1.31.1")
        assert len(mirror.asked) == asked + 2


def test_what_others_may_have_written_is_fetched_again(tmp_path: Path, mirror: ReleaseMirror) -> None:
    """They could change the program, and the record of its digest with it."""
    mirror.publish("1.31.1")
    binary = obtain(tmp_path, mirror.url).path
    record = binary.parent / "istioctl.json"

    def a_pipe() -> None:
        record.unlink()
        os.mkfifo(record)

    def a_device() -> None:
        binary.unlink()
        binary.symlink_to("/dev/zero")

    damages: tuple[Callable[[], object], ...] = (
        lambda: binary.chmod(0o775),
        lambda: record.chmod(0o666),
        lambda: binary.parent.chmod(0o777),
        a_pipe,
        a_device,
    )
    for damage in damages:
        asked = len(mirror.asked)
        damage()
        for _ in range(2):
            obtain(tmp_path, mirror.url)
            assert len(mirror.asked) == asked + 2
        assert binary.read_bytes() == script("1.31.1")


def test_where_groups_may_write_by_default_it_is_fetched_once(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1")
    before = os.umask(0o002)
    try:
        obtain(tmp_path, mirror.url)
        obtain(tmp_path, mirror.url)
    finally:
        os.umask(before)
    assert len(mirror.asked) == 2


def test_what_a_killed_run_left_is_swept(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1")
    left = tmp_path / "istioctl" / "127.0.0.1" / "1.31.1" / str(HERE) / ".partial-dead"
    left.mkdir(parents=True)
    (left / "archive").write_bytes(b"half")
    obtain(tmp_path, mirror.url)
    assert not left.exists()


@pytest.mark.parametrize("text", ["{hash}  {name}\n", "{hash} {name}", "{hash} *{name}\n", "{hash}", "{HASH}\n"])
def test_forms_of_a_checksum_file(tmp_path: Path, mirror: ReleaseMirror, text: str) -> None:
    archive = mirror.publish("1.31.1")
    digest = hashlib.sha256(mirror.files[archive].body).hexdigest()
    name = HERE.archive(VERSION)
    mirror.files[f"{archive}.sha256"].body = text.format(hash=digest, HASH=digest.upper(), name=name).encode()
    assert obtain(tmp_path, mirror.url).version == VERSION


@pytest.mark.parametrize("text", ["", "<html>sign in</html>", "abc name", "0" * 64 + "  other.tar.gz", "\xff\xfe"])
def test_a_checksum_file_that_is_none(tmp_path: Path, mirror: ReleaseMirror, text: str) -> None:
    archive = mirror.publish("1.31.1")
    mirror.files[f"{archive}.sha256"].body = text.encode("latin-1")
    assert f"{archive}.sha256 is not the checksum" in refusal(tmp_path, mirror.url)


def test_without_a_checksum_nothing_is_used(tmp_path: Path, mirror: ReleaseMirror) -> None:
    del mirror.files[mirror.publish("1.31.1") + ".sha256"]
    assert "publishes no checksum" in refusal(tmp_path, mirror.url)


def test_a_wrong_checksum(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    mirror.files[archive].body += b"x"
    message = refusal(tmp_path, mirror.url)
    assert "wrong checksum" in message
    assert hashlib.sha256(mirror.files[archive].body).hexdigest() in message
    assert f"{mirror.url}/1.31.1/" in message


def test_a_version_the_mirror_has_not(tmp_path: Path, mirror: ReleaseMirror) -> None:
    message = refusal(tmp_path, mirror.url.replace("http://", "http://build:s3cret@"))
    assert "no istioctl 1.31.1" in message
    assert f"{mirror.url}/1.31.1/istioctl-1.31.1-" in message
    assert "s3cret" not in message


def test_an_archive_that_holds_another_version(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1", body=tar_gz(("istioctl", script("1.30.0"))))
    assert "holds istioctl 1.30.0, not 1.31.1" in refusal(tmp_path, mirror.url)


def test_a_binary_that_does_not_run_here(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1", body=tar_gz(("istioctl", b"\x7fELF of another machine")))
    assert "cannot be run" in refusal(tmp_path, mirror.url)


def test_a_given_binary_of_the_right_version_is_used(tmp_path: Path) -> None:
    given = tmp_path / "my-istioctl"
    given.write_bytes(script("1.31.1"))
    given.chmod(0o755)
    assert obtain(tmp_path, "https://unused.invalid", explicit=given) == Istioctl(
        given, VERSION, hashlib.sha256(script("1.31.1")).hexdigest()
    )


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (script("1.30.2"), 0o755, "is istioctl 1.30.2, but istioctl 1.31.1 is needed"),
        (b"#!/bin/sh\necho hello\n", 0o755, "does not tell its version"),
        (b"#!/bin/sh\necho '{\"clientVersion\": null}'\n", 0o755, "does not tell its version"),
        (script("1.31.1"), 0o644, "cannot be run"),
        (None, 0, "cannot be run"),
    ],
)
def test_a_given_binary_that_is_not_right(tmp_path: Path, content: bytes | None, mode: int, message: str) -> None:
    given = tmp_path / "my-istioctl"
    if content is not None:
        given.write_bytes(content)
        given.chmod(mode)
    with pytest.raises(RefusedError) as caught:
        obtain(tmp_path, "https://unused.invalid", explicit=given)
    assert message in said(caught.value)
    assert str(given) in caught.value.what


# --- pins


def test_a_release_that_is_pinned(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    lock = tmp_path / "istioctl.lock"
    pin = hashlib.sha256(mirror.files[archive].body).hexdigest()
    lock.write_text(f"{pin}  {HERE.archive(VERSION)}\n")
    assert obtain(tmp_path / "cache", mirror.url, lock=lock).version == VERSION


def test_a_release_that_is_not_the_pinned_one(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    found = hashlib.sha256(mirror.files[archive].body).hexdigest()
    lock = tmp_path / "istioctl.lock"
    lock.write_text(f"{'a' * 64}  {HERE.archive(VERSION)}\n")
    message = refusal(tmp_path / "cache", mirror.url, lock=lock)
    assert f"pinned:    {'a' * 64}" in message
    assert f"published: {found}" in message
    assert f"found:     {found}" in message
    assert str(lock) in message


def test_a_pin_made_later_applies_to_the_cache_too(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1")
    cache = tmp_path / "cache"
    obtain(cache, mirror.url)
    lock = tmp_path / "istioctl.lock"
    lock.write_text(f"{'a' * 64}  {HERE.archive(VERSION)}\n")
    with pytest.raises(RefusedError, match="is not the one that"):
        obtain(cache, mirror.url, lock=lock)


def test_a_rebuilt_release_is_fetched_again(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1")
    source = IstioctlSource(tmp_path, Mirror.parse(mirror.url), rebuilt=True)
    obtain_istioctl(VERSION, source, lambda _: None)
    obtain_istioctl(VERSION, source, lambda _: None)
    archive = HERE.archive(VERSION)
    assert sum(path.endswith(archive) for path in mirror.asked) == 1, "the same release: no second download"
    mirror.publish("1.31.1", body=tar_gz(("istioctl", script("1.31.1", padding=64))))
    obtain_istioctl(VERSION, source, lambda _: None)
    assert sum(path.endswith(archive) for path in mirror.asked) == 2


def test_what_is_there_already_is_found_without_asking(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    pin = hashlib.sha256(mirror.files[archive].body).hexdigest()
    lock = tmp_path / "istioctl.lock"
    lock.write_text(f"{pin}  {HERE.archive(VERSION)}\n")
    source = IstioctlSource(tmp_path / "cache", Mirror.parse(mirror.url), lock)
    assert cached_istioctl(VERSION, source) is None
    obtained = obtain_istioctl(VERSION, source, lambda _: None)
    asked = list(mirror.asked)
    assert cached_istioctl(VERSION, source) == obtained
    assert cached_istioctl(VERSION, replace(source, rebuilt=True)) is None, "its checksum has to be asked for"
    lock.write_text(f"{'a' * 64}  {HERE.archive(VERSION)}\n")
    assert cached_istioctl(VERSION, source) is None
    lock.write_text("no pin\n")
    assert cached_istioctl(VERSION, source) is None, "who obtains it says what is wrong"
    assert mirror.asked == asked
