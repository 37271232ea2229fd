"""Which folder of environments is in force, and `sohistio env init`, as from a wheel: without a checkout."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sohistio.commands.env import group_for
from sohistio.environments.load import load_environment
from sohistio.environments.root import (
    TO_COPY,
    check_own,
    copy_shipped,
    environment_names,
    find_environments_root,
    shipped_root,
)
from sohistio.errors import ExitCode, UsageError

SHIPPED = Path(__file__).parents[3] / "environments"
NAMES = ["dev", "dr", "int", "local", "prod", "qa"]


@pytest.fixture
def bundled(tmp_path: Path) -> Path:
    """As the wheel has it, read-only."""
    folder = tmp_path / "site-packages" / "_environments"
    shutil.copytree(SHIPPED, folder)
    for file in folder.rglob("*.yaml"):
        file.chmod(0o444)
    return folder


def init(*arguments: str) -> tuple[int, str, UsageError | None]:
    done = CliRunner().invoke(group_for(), ["init", *arguments])
    error = done.exception if isinstance(done.exception, UsageError) else None
    return int(error.exit_code) if error else done.exit_code, done.stdout, error


def test_init_makes_the_folder_that_is_found_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert init() == (
        0,
        "environments: base, which all share, and dev, dr, int, local, prod, qa\n"
        f"Commands that are run in {tmp_path} or below it use this folder from now on.\n"
        "Delete what you do not have, edit the rest, keep it under version control. "
        "`sohistio env validate` checks it.\n",
        None,
    )
    root = find_environments_root(None, tmp_path)
    assert root == tmp_path / "environments"
    assert environment_names(root) == NAMES
    assert (root / "environment.schema.json").is_file()
    assert load_environment("local", root, os.environ).name == "local"
    code, _, error = init()
    assert (code, error and error.what) == (ExitCode.USAGE, "environments is there already")


def test_init_into_another_folder_says_how_to_give_it(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "mesh"
    code, text, _ = init(str(folder))
    assert code == 0
    assert f"Give it with --environments {folder}, or set SOHISTIO_ENVIRONMENTS to {folder}." in text
    assert environment_names(find_environments_root(folder, tmp_path)) == NAMES


def test_a_copy_can_be_edited_though_the_program_is_read_only(bundled: Path, tmp_path: Path) -> None:
    copy_shipped(tmp_path / "own", bundled)
    (tmp_path / "own" / "qa" / "environment.yaml").write_text("name: qa\n")


@pytest.mark.parametrize("there", ["file", "link", "parent"])
def test_what_is_there_already_is_left_alone(tmp_path: Path, there: str) -> None:
    target = tmp_path / "environments"
    if there == "file":
        target.write_text("mine")
    elif there == "link":
        target.symlink_to(tmp_path / "nowhere")
    else:
        (tmp_path / "file").write_text("mine")
        target = tmp_path / "file" / "environments"
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError) as caught:
        copy_shipped(target)
    assert caught.value.todo.startswith("Nothing was written.")
    assert sorted(tmp_path.iterdir()) == before
    assert not (tmp_path / "nowhere").exists()


def test_a_copy_that_fails_leaves_nothing(bundled: Path, tmp_path: Path) -> None:
    (bundled / "zzz").symlink_to("/proc/self/mem")
    with pytest.raises(UsageError, match="cannot be written") as caught:
        copy_shipped(tmp_path / "own", bundled)
    assert caught.value.details
    assert not (tmp_path / "own").exists()


def test_a_folder_without_base_is_not_passed_by(tmp_path: Path) -> None:
    own = tmp_path / "environments" / "uat"
    own.mkdir(parents=True)
    assert find_environments_root(None, tmp_path) == shipped_root(), "a folder of something else, such as Terraform's"
    (own / "environment.yaml").write_text("name: uat\n")
    below = tmp_path / "a"
    below.mkdir()
    with pytest.raises(UsageError) as caught:
        find_environments_root(None, below)
    assert caught.value.what == f"{tmp_path / 'environments'} is not a folder of environments"
    assert caught.value.details == (f"{tmp_path / 'environments/base/environment.yaml'} does not exist",)
    assert "`sohistio env init`" in caught.value.todo


def test_what_the_program_comes_with_is_nobodys_to_edit(bundled: Path) -> None:
    check_own(SHIPPED, "change")
    with pytest.raises(UsageError, match="not yours to pin") as caught:
        check_own(bundled, "pin")
    assert caught.value.todo.startswith("`sohistio env init` copies sohistio's environments")
    with pytest.raises(UsageError) as unknown:
        load_environment("uat", bundled, {})
    assert unknown.value.todo == (
        "Known environments (they come with sohistio): dev, dr, int, local, prod, qa. " + TO_COPY
    )
