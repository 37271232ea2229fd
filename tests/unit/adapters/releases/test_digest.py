"""A digest that is remembered is that of the file: whatever is written to it is noticed."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sohistio.adapters.releases.digest import known_sha256, sha256_of


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "istioctl"
    path.write_bytes(b"a program")
    return path


def known(path: Path) -> str:
    """As of a file that has been there for a while."""
    return known_sha256(path, settled=-1.0)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 8 << 20, (8 << 20) + 1, (16 << 20) - 1])
def test_a_file_larger_than_a_piece(tmp_path: Path, size: int) -> None:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(size))
    assert sha256_of(path) == sha256(path)


def with_the_same_times(path: Path) -> None:
    """As somebody who hides that it was written."""
    status = path.stat()
    path.write_bytes(b"a pr0gram")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def by_another_file(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"A program")
    other.replace(path)


@pytest.mark.parametrize("change", [with_the_same_times, by_another_file, lambda path: path.write_bytes(b"longer" * 9)])
def test_a_change_is_noticed(program: Path, change: Callable[[Path], object]) -> None:
    assert known(program) == sha256(program)
    time.sleep(0.05)  # a tick of the file system's clock
    change(program)
    assert known(program) == sha256(program)


def test_it_is_read_once(program: Path) -> None:
    known(program)
    note = program.with_name("istioctl.seen.json")
    note.write_text(json.dumps(json.loads(note.read_text()) | {"sha256": "remembered"}))
    assert known(program) == "remembered"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"file": []}', "\x00"])
def test_a_note_that_is_none(program: Path, text: str) -> None:
    program.with_name("istioctl.seen.json").write_text(text)
    assert known(program) == sha256(program)
    assert known(program) == sha256(program)


def test_a_new_file_is_not_remembered_yet(tmp_path: Path) -> None:
    path = tmp_path / "istioctl"
    path.write_bytes(b"a program")
    assert known_sha256(path) == sha256(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        known_sha256(tmp_path / "istioctl")


@pytest.mark.parametrize("others", [0o620, 0o602])
def test_a_note_that_others_may_write_is_not_believed(program: Path, others: int) -> None:
    known(program)
    note = program.with_name("istioctl.seen.json")
    note.write_text(json.dumps(json.loads(note.read_text()) | {"sha256": "somebody's"}))
    note.chmod(others)
    assert known(program) == sha256(program)
    assert stat.S_IMODE(note.stat().st_mode) == 0o600


def test_a_note_that_is_a_pipe_is_not_waited_for(program: Path) -> None:
    note = program.with_name("istioctl.seen.json")
    os.mkfifo(note)
    assert known(program) == sha256(program)
    assert note.is_file()
