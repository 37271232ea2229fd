"""The pages of docs/ are true: as the code is, with links that lead somewhere, and nothing left out."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema
import pytest

from commands_page import commands
from environments_page import documents
from layers_picture import layers
from markdown_links import anchors_of, broken_links, pages_of
from navigation import listed, problems_of_navigation
from reference import MADE
from sohistio.environments.model import layer_schema
from sohistio.errors import ExitCode

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
_NAMED = re.compile(r"docs/[\w/-]+\.md(?:#[\w-]+)?")


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_of_the_code_is_as_the_code_is(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == MADE[name](), "run `make docs-reference`"


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    assert broken_links(ROOT, pages_of(ROOT)) == []


def test_every_page_that_the_program_names_is_there() -> None:
    folders = [ROOT / name for name in ("src", "rbac", "environments")]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".yaml", ".json"}]
    named = {name for path in files for name in _NAMED.findall(path.read_text(encoding="utf-8"))}
    assert "docs/troubleshooting.md#nothing-was-touched-exit-code-2" in named
    for name in sorted(named):
        path, _, anchor = name.partition("#")
        assert (ROOT / path).is_file(), name
        assert not anchor or anchor in anchors_of((ROOT / path).read_text(encoding="utf-8")), name


def test_every_page_is_in_the_navigation_once() -> None:
    assert problems_of_navigation(ROOT) == []


def test_a_page_without_a_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for page in (page for page in listed() if not page.startswith(("reference/", "contributing", "changelog"))):
        (tmp_path / "docs" / page).touch()
    (tmp_path / "docs" / "new.md").touch()
    added, *gone = problems_of_navigation(tmp_path)
    assert added == "docs/new.md: add a line to `nav` of handbook/zensical.toml"
    assert len(gone) == len([page for page in listed() if page.startswith("reference/")])


def test_every_command_is_on_the_page_of_commands_by_task() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    code = re.findall(r"`sohistio ([^`]+)`", page)
    named = {f"{words} " for words in code if "\\|" not in words}
    for words in code:
        group, _, names = words.partition(" ")
        named |= {f"{group} {name} " for name in names.split("\\|") if "\\|" in names}
    missing = [one.path for one in commands() if not any(words.startswith(f"{one.path} ") for words in named)]
    assert missing == [], "add a row to docs/commands.md"


def test_the_exit_codes_are_those_of_the_program() -> None:
    page = (DOCS / "modes-and-safety.md").read_text(encoding="utf-8")
    section = page.partition("## Exit codes\n")[2].partition("\n## ")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)] == [
        int(code) for code in ExitCode
    ]


def test_examples_of_environments_are_valid() -> None:
    validator = jsonschema.Draft202012Validator(layer_schema())
    shown = documents(ROOT)
    assert len(shown) > 10
    for document in shown:
        validator.validate(document)


def test_the_picture_of_the_layers_has_every_package() -> None:
    drawn = {name for names in layers() for name in names}
    source = ROOT / "src" / "sohistio"
    packages = {path.parent.name for path in source.glob("*/__init__.py")}
    assert packages | {path.stem for path in source.glob("*.py") if path.stem != "__init__"} == drawn


def test_what_builds_the_site_or_a_release_changes_no_version_of_what_is_tested() -> None:
    dev, docs, release = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in ("dev.txt", "docs.txt", "release.txt")
    )
    assert "zensical" in docs
    assert {"bandit", "pip-audit"} <= set(release)
    for more in (docs, release):
        assert {name: version for name, version in more.items() if dev.get(name, version) != version} == {}, "make lock"
