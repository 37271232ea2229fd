"""A file that people keep is written anew: its mode and a link to it stay, and nothing is left of a failure."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sohistio.system.replaced_file import exact_text, replace_text, write_whole

_NOBODY = 65534


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    path.chmod(0o640)
    return path


def test_mode_and_bytes_stay(file: Path) -> None:
    before = exact_text(file)
    replace_text(file, before, f"{before}b: 2\n")
    assert file.read_bytes() == b"\xef\xbb\xbfa: 1\r\nb: 2\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(file.parent.iterdir()) == [file]


def test_a_link_stays_one(file: Path) -> None:
    link = file.parent / "links" / "b.yaml"
    link.parent.mkdir()
    link.symlink_to("../a.yaml")
    replace_text(link, exact_text(file), "c: 3\n")
    assert (link.is_symlink(), file.read_text()) == (True, "c: 3\n")
    assert list(link.parent.iterdir()) == [link]


def test_what_somebody_else_wrote_meanwhile_is_not_lost(file: Path) -> None:
    with pytest.raises(OSError, match="changed meanwhile"):
        replace_text(file, "older\n", "c: 3\n")
    assert file.read_bytes() == b"\xef\xbb\xbfa: 1\r\n"


def test_a_read_only_file_is_not_replaced() -> None:
    """Root may write to everything, so it becomes somebody else meanwhile."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        file = Path(folder, "a.yaml")
        file.write_text("a: 1\n")
        file.chmod(0o440)
        with _not_root(Path(folder), file), pytest.raises(PermissionError):
            replace_text(file, "a: 1\n", "c: 3\n")
        assert [item.read_text() for item in Path(folder).iterdir()] == ["a: 1\n"]


@contextmanager
def _not_root(*owned: Path) -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    for path in owned:
        os.chown(path, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_whole_file_is_written_with_its_mode_over_a_link_too(tmp_path: Path) -> None:
    path = tmp_path / "fleet.html"
    write_whole(path, "one")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("one", 0o644)
    path.chmod(0o600)
    link = tmp_path / "link.html"
    link.symlink_to("fleet.html")
    write_whole(link, "two")
    assert (link.is_symlink(), path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (True, "two", 0o644)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["fleet.html", "link.html"]


def test_what_is_no_ordinary_file_is_left_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path(os.devnull)):
        with pytest.raises(OSError, match="no ordinary file"):
            write_whole(path, "x")
    with pytest.raises(OSError, match="No such file"):
        write_whole(tmp_path / "nowhere" / "a.html", "x")
    assert [item.name for item in tmp_path.iterdir()] == ["pipe"]
