"""A plan's file: as written, edited, and no plan at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from command_line import run
from plans import FRESH, UPGRADE
from sohistio.errors import RefusedError, UsageError
from sohistio.output.plan_file import check_approved, read_approved, write_plan


def test_as_written_it_is_approved(tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.json", UPGRADE)
    approved = read_approved(tmp_path / "plan.json")
    check_approved(approved, UPGRADE)
    with pytest.raises(RefusedError, match="is stale"):
        check_approved(approved, FRESH)


@pytest.mark.parametrize("key", [*UPGRADE.document(), "digest"])
def test_whatever_is_edited_is_noticed(tmp_path: Path, key: str) -> None:
    path = tmp_path / "plan.json"
    write_plan(path, UPGRADE)
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: "another"}))
    with pytest.raises(UsageError):
        read_approved(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "Expecting value", id="empty"),
        pytest.param("[" * 100_000, "no plan", id="deep"),
        pytest.param("5", "no plan", id="a-number"),
        pytest.param("{}", "no plan", id="no-digest"),
        pytest.param('{"digest": 1, "digest": 2}', "a key is in it twice", id="a-key-twice"),
    ],
)
def test_what_is_no_plan_is_told_as_such(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_approved(path)
    assert why in caught.value.details[0]


def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path: Path) -> None:
    """A device has no end, and nobody may ever write into a pipe."""
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), tmp_path / "pipe", tmp_path):
        with pytest.raises(UsageError, match=r"no ordinary file|cannot be read"):
            read_approved(path)
    with (tmp_path / "large").open("wb") as file:
        file.truncate((1 << 25) + 1)
    with pytest.raises(UsageError, match="larger than 32 MiB"):
        read_approved(tmp_path / "large")


def test_it_is_refused_before_a_cluster_is_looked_at(tmp_path: Path) -> None:
    """There is none here."""
    done = run("install", "--env", "qa", "--plan", "/dev/zero", cwd=tmp_path)
    assert (done.returncode, "/dev/zero is no ordinary file" in done.stderr) == (2, True), done.stderr
