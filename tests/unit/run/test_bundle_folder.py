"""Where a bundle may be written: what is said before anything is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from sohistio.errors import UsageError
from sohistio.run.bundle import check_out


def test_a_file_that_is_there_and_one_that_is_not(tmp_path: Path) -> None:
    (tmp_path / "old.tar").touch()
    for name in ("old.tar", "new.tar"):
        check_out(tmp_path / name)
    assert [item.name for item in tmp_path.iterdir()] == ["old.tar"]


def test_a_dash_is_no_file() -> None:
    """In other programs it is standard output, where no archive goes."""
    with pytest.raises(UsageError, match="--out - would be a file of that name"):
        check_out(Path("-"))


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that not even root can write to")
def test_a_folder_that_takes_no_file() -> None:
    with pytest.raises(UsageError, match="no file can be written in /proc/self") as caught:
        check_out(Path("/proc/self/qa.tar"))
    assert caught.value.details
    assert "--out" in caught.value.todo
