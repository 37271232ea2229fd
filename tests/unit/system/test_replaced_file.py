"""A file that people keep is written anew: its mode and a link to it stay, and nothing is left of a failure."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sohistio.system.replaced_file import exact_text, replace_text


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


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to everything")
def test_a_read_only_file_is_not_replaced(file: Path) -> None:
    file.chmod(0o440)
    with pytest.raises(PermissionError):
        replace_text(file, exact_text(file), "c: 3\n")
    assert list(file.parent.iterdir()) == [file]
