"""The sandbox for tests: one for the session, real parts only, with state of its own; and the CLI as a subprocess."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource, obtain_istioctl
from sohistio.model.kube_target import KubeTarget
from sohistio.model.versions import Version
from sohistio.system.paths import cache_dir
from warm import WARM

if TYPE_CHECKING:
    from aks import Aks
    from mirrors import Mirror as ImageMirror
    from mirrors import Registries

CHECKOUT = Path(__file__).parents[2]
LONGEST_COMMAND = 300
USER = "sohistio-admin"
SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox named local, and sohistio as a user runs it against it."""

    state_home: Path
    kubeconfig: Path

    @property
    def context(self) -> str:
        return "sohistio-local"

    @property
    def mirror(self) -> str:
        """The URL of its release mirror; a reset keeps it."""
        exports = self.run("sandbox", "env").stdout
        mirror = next(line.partition("=")[2] for line in exports.splitlines() if "SOHISTIO_ISTIO_MIRROR=" in line)
        return mirror.strip("'\"")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "sohistio", *arguments]

    def environ(self, **variables: str) -> dict[str, str]:
        """What the commands see: nothing of the person's own KUBECONFIG, mirror or defaults."""
        mine = {k: v for k, v in os.environ.items() if not k.startswith(("SOHISTIO_", "KUBE"))}
        return (
            mine
            | {
                "XDG_STATE_HOME": str(self.state_home),
                "SOHISTIO_CONFIG": os.devnull,
                "SOHISTIO_IP_PREFIX": "10.20",
                "SOHISTIO_SUBSCRIPTION": SUBSCRIPTION,
            }
            | variables
        )

    def run(self, *arguments: str, cwd: Path = CHECKOUT, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run sohistio to its end; no terminal, no standard input."""
        return WARM.run(arguments, cwd=cwd, env=self.environ(**variables), timeout=LONGEST_COMMAND)

    @property
    def api(self) -> KubeApi:
        return KubeApi(KubeTarget(self.kubeconfig, self.context))

    def writes(self, user: str = USER) -> list[str]:
        """What a user has written, each as its verb and where."""
        return [f"{event['verb']} {event['requestURI']}" for event in self.write_events(user)]

    def write_events(self, user: str = USER) -> list[dict[str, Any]]:
        """What a user (sohistio and its istioctl, not the cluster's own parts) has written, from the audit log.

        Dry runs and what was refused are left out, and so are access reviews, which are questions asked with a POST.
        """
        return [event for event in self._all_write_events() if event["user"].get("username", "") == user]

    def reset(self) -> None:
        """An empty cluster: a new one, but where nobody has written to this one since it was new.

        What its own parts write (users and service accounts of `system:`) they write to every new cluster, and
        otherwise only because of what somebody else has written.
        """
        writers = {event["user"].get("username", "") for event in self._all_write_events()}
        if all(writer.startswith("system:") for writer in writers):
            return
        done = self.run("sandbox", "reset")
        assert done.returncode == 0, done.stderr

    def _all_write_events(self) -> list[dict[str, Any]]:
        log = self.kubeconfig.parent / "audit.log"
        events: list[dict[str, Any]] = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        return [
            event
            for event in events
            if event["stage"] == "ResponseComplete"
            and event["responseStatus"]["code"] < 400
            and event["verb"] not in ("get", "list", "watch")
            and "dryRun=All" not in event["requestURI"]
            and "accessreviews" not in event["requestURI"]
        ]


# Minutes long: begun last, they would keep one worker busy while the other has nothing left.
_LONGEST = ("test_resume.py", "test_failover_observed.py", "test_moving_traffic.py", "test_api_faults.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others in their order."""
    first = {name: place for place, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: first.get(item.path.name, len(first)))


def pytest_sessionfinish() -> None:
    """After all fixtures: some end with a command."""
    WARM.end()


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
