"""What `mentions` says no to is what a reader of YAML would not find either."""

from __future__ import annotations

from pathlib import Path

import pytest

from environment_folder import VARIABLES, environment_folder
from sohistio.environments.load import load_environment, mentions


@pytest.mark.parametrize(
    ("added", "standby_of"),
    [
        ("", None),
        ("standbyOf: prod\n", "prod"),
        ('"standbyOf": prod\n', "prod"),
        ('"standby\\u004ff": prod\n', "prod"),
        ('? "standby\\\n  Of"\n: prod\n', "prod"),
        ("? standbyOf\n: prod\n", "prod"),
    ],
    ids=["none", "plain", "quoted", "escaped", "folded", "explicit"],
)
def test_a_standby_is_never_overlooked(tmp_path: Path, added: str, standby_of: str | None) -> None:
    root = environment_folder(tmp_path, qa=added)
    (root / "prod").mkdir()
    (root / "prod" / "environment.yaml").write_text("name: prod\n", encoding="utf-8")
    assert load_environment("qa", root, VARIABLES).standby_of == standby_of
    assert mentions("qa", root, "standbyOf") == (standby_of is not None)


def test_base_counts_and_missing_files_do_not(tmp_path: Path) -> None:
    root = environment_folder(tmp_path, base="# standbyOf belongs to one environment\n")
    assert mentions("qa", root, "standbyOf")
    assert not mentions("gone", tmp_path, "standbyOf")
