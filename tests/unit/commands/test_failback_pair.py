"""A failback goes to the environment that a standby names: where none can be read, the error says which and why."""

from __future__ import annotations

import shutil
from pathlib import Path

from command_line import CHECKOUT, run


def test_a_standby_whose_file_is_not_valid_is_named(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "environments", tmp_path / "environments")
    file = tmp_path / "environments" / "dr" / "environment.yaml"
    file.write_text(f"{file.read_text(encoding='utf-8')}holdDown: soon\n", encoding="utf-8")
    done = run("failback", "--to", "prod", "--plan", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Error: one environment has to stand by for prod, and there is none.\n" in done.stderr
    assert "  the environment dr is not valid: environments/dr/environment.yaml:" in done.stderr
    assert "holdDown: unknown key" in done.stderr


def test_so_is_one_that_cannot_be_read_at_all(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "environments", tmp_path / "environments")
    (tmp_path / "environments" / "dr" / "environment.yaml").write_text("{ not yaml", encoding="utf-8")
    done = run("failback", "--to", "prod", "--plan", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "  the environment dr is not valid: environments/dr/environment.yaml:" in done.stderr


def test_where_nobody_stands_by_nothing_more_is_said(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "environments", tmp_path / "environments")
    done = run("failback", "--to", "qa", "--plan", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "and there is none.\nWhat to do: A failback goes to" in done.stderr
