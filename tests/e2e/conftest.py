"""The sandbox for tests: one for the session, real parts only, with state of its own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandboxes import Sandbox
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource, obtain_istioctl
from sohistio.model.versions import Version
from sohistio.system.paths import cache_dir

if TYPE_CHECKING:
    from aks import Aks
    from mirrors import Mirror as ImageMirror
    from mirrors import Registries

_HERE = Path(__file__).parent
# Minutes long: begun last, they would keep one worker busy while the other has nothing left.
_LONGEST = ("test_resume.py", "test_moving_traffic.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first. Of the rest, those that need a sandbox keep the processors busy, and the others mostly
    wait: one kind is spread evenly over the other.
    """
    files = dict.fromkeys(item.path for item in items)
    longest = [file for name in _LONGEST for file in files if file.name == name]
    of_sandboxes = [file for file in files if file.is_relative_to(_HERE) and file not in longest]
    others = [file for file in files if not file.is_relative_to(_HERE)]
    place: dict[Path, float] = {file: index - len(longest) for index, file in enumerate(longest)}
    place |= {file: index / len(kind) for kind in (of_sandboxes, others) for index, file in enumerate(kind)}
    items.sort(key=lambda item: place[item.path])


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The session's sandbox. Its parts are built first where the cache has none (docs/getting-started.md: how long)."""
    state_home = tmp_path_factory.mktemp("state")
    box = Sandbox(state_home, state_home / "sohistio" / "sandbox" / "local" / "kubeconfig")
    up = subprocess.run(box.command("sandbox", "up"), env=box.environ(), text=True, check=False)
    assert up.returncode == 0
    try:
        yield box
    finally:
        box.run("sandbox", "down")


@pytest.fixture
def empty_sandbox(sandbox: Sandbox) -> Sandbox:
    """The sandbox with an empty cluster."""
    sandbox.reset()
    return sandbox


@pytest.fixture(scope="session")
def cloud(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aks]:
    """Azure on loopback with one AKS cluster, which is the sandbox."""
    from aks import aks_cluster

    with aks_cluster(sandbox, tmp_path_factory.mktemp("azure")) as cluster:
        yield cluster


@pytest.fixture
def aks(cloud: Aks) -> Aks:
    """The AKS cluster, healthy and trusted; Azure with nothing special to answer."""
    cloud.as_new()
    return cloud


@pytest.fixture(scope="session")
def istioctl(sandbox: Sandbox) -> Path:
    """The real istioctl 1.31.1, from the sandbox's release mirror."""
    source = IstioctlSource(cache=cache_dir(), mirror=Mirror.parse(sandbox.mirror))
    return obtain_istioctl(Version(1, 31, 1), source, lambda _: None).path


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registries]:
    """A source of images and a hub: two registries."""
    from mirrors import registries

    with registries(tmp_path_factory.mktemp("registries")) as running:
        yield running


@pytest.fixture
def mirror(sandbox: Sandbox, both: Registries, tmp_path: Path, request: pytest.FixtureRequest) -> ImageMirror:
    """An environment with a path of its own at both registries."""
    from mirrors import a_mirror

    name = re.sub("[^a-z0-9]+", "-", request.node.name).strip("-")
    return a_mirror(sandbox, both, tmp_path, name)
