"""What istioctl rendered is rendered once; nothing that is damaged, another's or not the same after JSON is used."""

from __future__ import annotations

import datetime
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sohistio.adapters.releases.kept_manifests import KeptManifests

OBJECTS = [{"kind": "ConfigMap", "metadata": {"name": "istio"}, "data": {"mesh": "a: 1\n", "on": True, "n": 1}}]
Objects = list[dict[str, Any]]


class Maker:
    """Counts how often it is asked."""

    def __init__(self, objects: Objects | None = None) -> None:
        self.objects = OBJECTS if objects is None else objects
        self.asked = 0

    def __call__(self) -> Objects:
        self.asked += 1
        return self.objects


def test_it_is_made_once_for_each_binary_and_text(tmp_path: Path) -> None:
    kept, make = KeptManifests(tmp_path / "cache" / "manifests"), Maker()
    for istioctl, operator, asked in (("a", "x", 1), ("a", "x", 1), ("b", "x", 2), ("a", "y", 3), ("a", "x", 3)):
        assert kept.of(istioctl, operator, make) == OBJECTS
        assert make.asked == asked
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.folder.iterdir()} == {0o600}


def test_each_caller_has_objects_of_its_own(tmp_path: Path) -> None:
    kept, make = KeptManifests(tmp_path), Maker()
    kept.of("a", "x", make)
    kept.of("a", "x", make)[0]["metadata"]["name"] = "changed"
    assert kept.of("a", "x", make) == OBJECTS


def test_an_istioctl_that_is_not_known_is_asked_each_time(tmp_path: Path) -> None:
    make = Maker()
    for asked in (1, 2):
        assert KeptManifests(tmp_path).of("", "x", make) == OBJECTS
        assert make.asked == asked
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text[:-1], id="cut"),
        pytest.param(lambda text: text.replace(b"istio", b"other"), id="edited"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: b"\xff\xfe", id="no-text"),
    ],
)
def test_what_is_damaged_is_made_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    kept, make = KeptManifests(tmp_path), Maker()
    kept.of("a", "x", make)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert kept.of("a", "x", make) == OBJECTS
    assert kept.of("a", "x", make) == OBJECTS
    assert make.asked == 2


@pytest.mark.parametrize(
    "value", [datetime.date(2026, 11, 27), {1: "a number as a key"}, float("nan")], ids=["date", "key", "nan"]
)
def test_what_json_cannot_say_is_not_kept(tmp_path: Path, value: Any) -> None:
    make = Maker([{"value": value}])
    assert KeptManifests(tmp_path).of("a", "x", make) is make.objects
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    make = Maker()
    assert KeptManifests(tmp_path / "file" / "manifests").of("a", "x", make) == OBJECTS


def test_those_that_were_not_asked_for_longest_make_room(tmp_path: Path) -> None:
    kept, make = KeptManifests(tmp_path), Maker()
    for number in range(64):
        kept.of("a", str(number), make)
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    kept.of("a", "0", make)
    kept.of("a", "new", make)
    assert len(list(tmp_path.iterdir())) == 64
    assert make.asked == 65
    kept.of("a", "0", make)
    kept.of("a", "new", make)
    assert make.asked == 65


def test_one_under_anothers_name_is_not_used(tmp_path: Path) -> None:
    """It has the objects of another mesh: what they lack would be deleted."""
    kept, other = KeptManifests(tmp_path), Maker([{"kind": "Other"}])
    kept.of("a", "x", Maker())
    (first,) = tmp_path.iterdir()
    kept.of("a", "y", other)
    (second,) = set(tmp_path.iterdir()) - {first}
    shutil.copy(first, second)
    assert kept.of("a", "y", other) == [{"kind": "Other"}]
    assert kept.of("a", "y", other) == [{"kind": "Other"}]
    assert other.asked == 2


def a_link_to_itself_elsewhere(path: Path) -> None:
    """With all that belongs into it."""
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def a_link_to(target: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        path.symlink_to(target)

    return damage


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def too_large(path: Path) -> None:
    os.truncate(path, (64 << 20) + 1)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.chmod(0o620), id="group-may-write"),
        pytest.param(lambda path: path.chmod(0o602), id="all-may-write"),
        pytest.param(lambda path: path.parent.chmod(0o777), id="a-folder-that-all-may-write"),
        a_link_to_itself_elsewhere,
        pytest.param(a_link_to("/dev/zero"), id="a-device"),
        pytest.param(a_link_to("nowhere"), id="a-dangling-link"),
        a_pipe,
        too_large,
    ],
)
def test_what_others_may_write_or_is_no_ordinary_file_is_made_anew(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    kept, make = KeptManifests(tmp_path / "manifests"), Maker()
    kept.of("a", "x", make)
    (path,) = kept.folder.iterdir()
    damage(path)
    for _ in range(2):
        assert kept.of("a", "x", make) == OBJECTS
        assert make.asked == 2
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert stat.S_ISREG(path.lstat().st_mode)
    assert stat.S_IMODE(kept.folder.stat().st_mode) & 0o022 == 0


@pytest.mark.parametrize("whose", ["file", "folder"])
def test_what_somebody_else_owns_is_made_anew(tmp_path: Path, whose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, make = KeptManifests(tmp_path / "manifests"), Maker()
    kept.of("a", "x", make)
    (path,) = kept.folder.iterdir()
    if os.geteuid() == 0:
        os.chown(path if whose == "file" else kept.folder, 12345, -1)
    else:  # only root may give a file away: then it is this user who is somebody else
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert kept.of("a", "x", make) == OBJECTS
    assert make.asked == 2


def test_a_folder_in_a_files_place_stays_and_is_no_error(tmp_path: Path) -> None:
    kept, make = KeptManifests(tmp_path), Maker()
    kept.of("a", "x", make)
    (path,) = tmp_path.iterdir()
    path.unlink()
    path.mkdir()
    for asked in (2, 3):
        assert kept.of("a", "x", make) == OBJECTS
        assert make.asked == asked
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_link_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "manifests").symlink_to("elsewhere")
    make = Maker()
    for asked in (1, 2):
        assert KeptManifests(tmp_path / "manifests").of("a", "x", make) == OBJECTS
        assert make.asked == asked
    assert list((tmp_path / "elsewhere").iterdir()) == []
