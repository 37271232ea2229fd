"""A release of a repository of its own: this checkout's files, with a version and its section of the changelog."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wheels import WheelError, built_twice

CHECKOUT = Path(__file__).parents[3]
VERSION = "9.8.7"
SECTION = f"## [{VERSION}] - 2031-02-03\n\n### Added\n\n- A word.\n\n"
CHANGELOG = f"# Changelog\n\n## [Unreleased]\n\n- Later.\n\n{SECTION}## [9.8.6] - 2031-01-01\n\n- Before.\n"


def git(folder: Path, *arguments: str) -> str:
    named = ("-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    command = (shutil.which("git") or "git", *named, *arguments)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "a commit")


def release(folder: Path, *arguments: str, umask: int = 0o022) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, str(folder / "release" / "make_release.py"), *arguments)
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, timeout=120, umask=umask)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    for name in git(CHECKOUT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        source, to = CHECKOUT / name, folder / name
        if name and source.is_file():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to)
    (folder / "src/sohistio/__init__.py").write_text(f'"""sohistio."""\n\n__version__ = "{VERSION}"\n')
    (folder / "CHANGELOG.md").write_text(CHANGELOG)
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


@pytest.fixture(scope="module")
def released(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the release of a clone has written."""
    folder = tmp_path_factory.mktemp("clone")
    git(folder, "clone", "--quiet", str(repository), "here")
    done = release(folder / "here")
    assert done.returncode == 0, done.stderr
    return folder / "here" / "dist" / "release"


def edited(name: str, change: Callable[[str], str], *, committed: bool = True) -> Callable[[Path], None]:
    """A step of a story: change a file, and commit that."""

    def step(folder: Path) -> None:
        path = folder / name
        path.write_text(change(path.read_text() if path.exists() else ""))
        if committed:
            commit(folder)

    return step


REFUSED = {
    "a file that was changed": (
        edited("README.md", lambda text: text + "\n", committed=False),
        "differs from its commit (README.md)",
    ),
    "a file that nobody knows": (
        edited("src/sohistio/new.py", lambda _: "", committed=False),
        "differs from its commit (src/sohistio/new.py)",
    ),
    "another version": (edited("src/sohistio/__init__.py", lambda text: text.replace("9.8.7", "9.9.0")), "is 9.9.0"),
    "no section": (edited("CHANGELOG.md", lambda text: text.replace("[9.8.7]", "[9.8.5]")), "no section 9.8.7"),
    "a section without a date": (edited("CHANGELOG.md", lambda text: text.replace(" - 2031-02-03", "")), "no date"),
    "an empty section": (edited("CHANGELOG.md", lambda text: text.replace("- A word.", "")), "says nothing"),
    "another version is installed than the locked one": (
        edited("requirements/pipeline.txt", lambda text: re.sub(r"(?m)^httpx==\S+", "httpx==0.0.1", text)),
        "httpx 0.0.1: ",
    ),
    "a package that nobody has": (
        edited("requirements/pipeline.txt", lambda text: re.sub(r"(?m)^httpx==", "httpx-that-is-not-there==", text)),
        "httpx-that-is-not-there 0.28.1: not installed",
    ),
}


@pytest.mark.parametrize("story", REFUSED)
def test_it_refuses(story: str, repository: Path) -> None:
    step, words = REFUSED[story]
    good = git(repository, "rev-parse", "HEAD").strip()
    try:
        step(repository)
        done = release(repository, VERSION)
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
        assert words in done.stderr
        assert done.stderr.rstrip().endswith("Nothing was written.")
        assert not (repository / "dist").exists()
    finally:
        git(repository, "reset", "--quiet", "--hard", good)
        git(repository, "clean", "--quiet", "--force", "-d", "src")


def test_what_is_released_and_the_same_again_elsewhere(repository: Path, released: Path, tmp_path: Path) -> None:
    names = {f"sohistio-{VERSION}-py3-none-any.whl", f"sohistio-{VERSION}.cdx.json", f"sohistio-{VERSION}.md"}
    assert {path.name for path in released.iterdir()} == {*names, "SHA256SUMS"}
    sums = (released / "SHA256SUMS").read_text()
    digests = {name: hashlib.sha256((released / name).read_bytes()).hexdigest() for name in names}
    assert sums == "".join(f"{digests[name]}  {name}\n" for name in sorted(names))
    assert (released / f"sohistio-{VERSION}.md").read_text() == "### Added\n\n- A word.\n"
    wheel = next(name for name in names if name.endswith(".whl"))
    with zipfile.ZipFile(released / wheel) as content:
        assert f'__version__ = "{VERSION}"' in content.read("sohistio/__init__.py").decode()
    bill = json.loads((released / f"sohistio-{VERSION}.cdx.json").read_text())
    assert bill["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": digests[wheel]}]

    elsewhere = tmp_path / "elsewhere"
    git(tmp_path, "clone", "--quiet", str(repository), str(elsewhere))
    for path in (elsewhere / "src").rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    again = release(elsewhere, VERSION, umask=0o077)
    assert again.returncode == 0, again.stderr
    assert (elsewhere / "dist" / "release" / "SHA256SUMS").read_text() == sums


def runs_on(name: str) -> Iterator[str]:
    """What an installed sohistio runs on, by its own metadata and that of all others: nothing of a lock is read."""
    seen: set[tuple[str, str]] = set()
    asked = [(name, "")]
    while asked:
        package, extra = asked.pop()
        if (package, extra) in seen:
            continue
        seen.add((package, extra))
        for line in distribution(package).requires or []:
            wanted = Requirement(line)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                asked += [(canonicalize_name(wanted.name), extra) for extra in ("", *wanted.extras)]
    yield from {package for package, _ in seen} - {name}


def test_the_bill_has_all_that_it_runs_on(released: Path) -> None:
    bill = json.loads((released / f"sohistio-{VERSION}.cdx.json").read_text())
    packages = {component["name"]: component for component in bill["components"]}
    assert sorted(packages) == sorted(runs_on("sohistio"))
    lock = (CHECKOUT / "requirements" / "pipeline.txt").read_text()
    for name, component in packages.items():
        block = re.search(rf"(?m)^{re.escape(name)}==(\S+)((?:.*\\\n)+.*)", lock)
        assert block, name
        assert component["version"] == block[1]
        locked = set(re.findall(r"sha256:(\w+)", block[2]))
        assert {one["content"] for one in component["hashes"]} == locked != set(), name
        assert {one["alg"] for one in component["hashes"]} == {"SHA-256"}
        assert component["licenses"]
    references = {component["bom-ref"] for component in bill["components"]}
    root = bill["metadata"]["component"]["bom-ref"]
    wants = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    assert set(wants) == references | {root}
    assert {wanted for all_wanted in wants.values() for wanted in all_wanted} == references, "nobody is unwanted"
    assert packages["pydantic-core"]["bom-ref"] in wants[packages["pydantic"]["bom-ref"]]
    assert packages["pydantic"]["bom-ref"] in wants[root]
    assert not {"serialNumber", "timestamp"} & {*bill, *bill["metadata"]}


def test_builds_that_differ_are_no_release(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "differs"\nversion = "1"\n'
        '[tool.hatch.build.targets.wheel]\nonly-include = ["differs.py"]\n[tool.hatch.build.hooks.custom]\n'
    )
    (source / "hatch_build.py").write_text(
        "import uuid\nfrom pathlib import Path\n"
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n\n\n"
        "class Hook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        '        Path(self.root, "differs.py").write_text(f"ID = \'{uuid.uuid4()}\'")\n'
    )
    (source / "differs.py").write_text("ID = ''\n")
    git(source, "init", "--quiet")
    commit(source)
    with pytest.raises(WheelError, match="two builds differ"):
        built_twice(source, tmp_path / "builds")
