"""A plan's file: as written, edited, and no plan at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plans import FRESH, UPGRADE
from sohistio.errors import RefusedError, UsageError
from sohistio.output.plan_file import check_approved, write_plan


def test_as_written_it_is_approved(tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.json", UPGRADE)
    check_approved(tmp_path / "plan.json", UPGRADE)
    with pytest.raises(RefusedError, match="is stale"):
        check_approved(tmp_path / "plan.json", FRESH)


@pytest.mark.parametrize("key", [*UPGRADE.document(), "digest"])
def test_whatever_is_edited_is_noticed(tmp_path: Path, key: str) -> None:
    path = tmp_path / "plan.json"
    write_plan(path, UPGRADE)
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: "another"}))
    with pytest.raises(UsageError):
        check_approved(path, UPGRADE)


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
        check_approved(path, UPGRADE)
    assert why in caught.value.details[0]
