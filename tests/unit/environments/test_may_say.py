"""What `may_say` says no to is what a reader of YAML would not find either."""

from __future__ import annotations

from pathlib import Path

import pytest

from environment_folder import VARIABLES, environment_folder
from sohistio.environments.load import load_environment, may_say


@pytest.mark.parametrize(
    ("added", "standby_of"),
    [
        ("", None),
        ("standbyOf: prod\n", "prod"),
        ('"standbyOf": prod\n', "prod"),
        ('"standby\\u004ff": prod\n', "prod"),
        ('? "standby\\\n  Of"\n: prod\n', "prod"),
        ("? standbyOf\n: prod\n", "prod"),
        ("standbyOf:\n  prod\n", "prod"),
        ("standbyOf:   prod   # for ever\n", "prod"),
        ("standbyOf: 'prod'\n", "prod"),
        ("standbyOf: &side prod\n", "prod"),
        ("standbyOf: !!str prod\n", "prod"),
        ("standbyOf: ${SOHISTIO_PAIR}\n", "prod"),
    ],
    ids=[
        "none",
        "plain",
        "quoted",
        "escaped",
        "folded",
        "explicit",
        "below",
        "comment",
        "text",
        "anchor",
        "tag",
        "variable",
    ],
)
def test_a_standby_is_never_overlooked(tmp_path: Path, added: str, standby_of: str | None) -> None:
    root = environment_folder(tmp_path, qa=added)
    (root / "prod").mkdir()
    (root / "prod" / "environment.yaml").write_text("name: prod\n", encoding="utf-8")
    assert load_environment("qa", root, VARIABLES | {"SOHISTIO_PAIR": "prod"}).standby_of == standby_of
    assert may_say("qa", root, "standbyOf", "prod") == (standby_of is not None)


@pytest.mark.parametrize(
    ("added", "may"),
    [
        ("standbyOf: prod\n", False),
        ("standbyOf: prod # not int\n", False),
        ("standbyOf: prod\n# standbyOf: int\n", True),
        ('standbyOf: prod\n"standbyOf": int\n', True),
        ("standbyOf: prod-int\n", False),
        ("{standbyOf: int}\n", True),
    ],
)
def test_a_plain_line_with_another_value_says_no(tmp_path: Path, added: str, may: bool) -> None:
    root = environment_folder(tmp_path, qa=added)
    assert may_say("qa", root, "standbyOf", "int") == may


def test_base_counts_and_missing_files_do_not(tmp_path: Path) -> None:
    root = environment_folder(tmp_path, base="# standbyOf belongs to one environment\n")
    assert may_say("qa", root, "standbyOf", "prod")
    assert not may_say("gone", tmp_path, "standbyOf", "prod")
