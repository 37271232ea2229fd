"""The pins of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from sohistio.environments.images_lock import check_writable, read_images_lock, write_images_lock
from sohistio.errors import UsageError
from sohistio.model.image import Image

_ONE, _OTHER = "sha256:" + "0a" * 32, "sha256:" + "0b" * 32


def test_what_is_written_is_read_again_sorted(tmp_path: Path) -> None:
    path = tmp_path / "images.lock"
    pins = {Image.parse("istio/proxyv2:1.31.1"): _ONE, Image.parse("istio/pilot:1.31.1"): _OTHER}
    write_images_lock(path, pins)
    assert read_images_lock(path) == pins
    lines = path.read_text().splitlines()[2:]
    assert lines == [f"{_OTHER}  docker.io/istio/pilot:1.31.1", f"{_ONE}  docker.io/istio/proxyv2:1.31.1"]
    assert [item.name for item in tmp_path.iterdir()] == ["images.lock"]


def test_comments_and_places_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "images.lock"
    path.write_bytes(f"\ufeff# ours\r\n\r\n# moved on purpose, INC-1\r\n{_ONE}  docker.io/istio/proxyv2:1\r\n".encode())
    pins = read_images_lock(path)
    pins[Image.parse("istio/proxyv2:1")] = _OTHER
    write_images_lock(path, {**pins, Image.parse("istio/pilot:1"): _ONE})
    assert path.read_text() == (
        f"# ours\n\n# moved on purpose, INC-1\n{_OTHER}  docker.io/istio/proxyv2:1\n{_ONE}  docker.io/istio/pilot:1\n"
    )
    write_images_lock(path, {Image.parse("istio/pilot:1"): _ONE})
    assert path.read_text() == f"# ours\n\n# moved on purpose, INC-1\n{_ONE}  docker.io/istio/pilot:1\n"


def test_whether_it_can_be_written_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "images.lock")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that not even root can write to")
def test_a_folder_that_takes_no_file() -> None:
    for write in (check_writable, lambda path: write_images_lock(path, {Image.parse("istio/pilot:1"): _ONE})):
        with pytest.raises(UsageError, match=r"/proc/self/images\.lock cannot be written") as caught:
            write(Path("/proc/self/images.lock"))
        assert "room" in caught.value.todo


def test_no_file_is_no_pin(tmp_path: Path) -> None:
    assert read_images_lock(tmp_path / "images.lock") == {}


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        f"{_ONE}",
        f"{_ONE[:-1]}  docker.io/istio/pilot:1",
        f"{_ONE}  istio/pilot:1",
        f"{_ONE}  docker.io/istio/pilot",
        f"{_ONE}  docker.io/istio/pilot:1@{_ONE}",
        f"{_ONE}  docker.io/istio/pilot:1  more",
        f"{_ONE.upper()}  docker.io/a/b:1",
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "images.lock"
    path.write_text(f"# comment\n\n{line}\n")
    with pytest.raises(UsageError, match=r"images\.lock:3: this is not a pin"):
        read_images_lock(path)


def test_a_tag_has_one_digest(tmp_path: Path) -> None:
    path = tmp_path / "images.lock"
    path.write_text(f"{_ONE}  docker.io/istio/pilot:1\n{_OTHER}  docker.io/istio/pilot:1\n")
    with pytest.raises(UsageError, match=r"images\.lock:2: docker\.io/istio/pilot:1 is pinned twice"):
        read_images_lock(path)
