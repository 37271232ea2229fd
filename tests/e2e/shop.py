"""An application behind the ingress gateway of a sandbox with traffic, as a user applies it with kubectl."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from application import deploy
from own_environments import own_environments
from requests_by_address import Answer, get, trusting
from sandboxes import Sandbox
from sohistio.system.certificates import Authority
from workloads import pods_of

HOST = "shop.example.com"
SYSTEM = "istio-system"


@dataclass(frozen=True)
class Shop:
    """A sandbox with traffic, the mesh, and an application behind the ingress gateway."""

    sandbox: Sandbox
    address: str
    authority: str

    def get(self, path: str = "/") -> Answer:
        return get(self.address, HOST, trusting(self.authority), path)

    def status(self) -> int:
        """The HTTP status; 0 where nobody takes the connection, -1 where it breaks."""
        try:
            return self.get().status
        except ConnectionRefusedError:
            return 0
        except OSError:  # an Envoy has just ended, or has no certificate yet
            return -1

    def annotate(self, **annotations: str | None) -> None:
        """On all pods of the backend."""
        named = {f"sandbox.sohistio/{name}": value for name, value in annotations.items()}
        for pod in pods_of(self.sandbox.api, "shop"):
            path = f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}"
            self.sandbox.api.merge_patch(path, {"metadata": {"annotations": named}})


@contextmanager
def traffic_sandbox(state_home: Path, *flags: str, nodes: int = 3) -> Iterator[Sandbox]:
    """A sandbox with traffic, of a test file's own."""
    found = Sandbox(state_home, state_home / "sohistio" / "sandbox" / "local" / "kubeconfig")
    up = found.run("sandbox", "up", "--traffic", "--nodes", str(nodes), *flags)
    assert up.returncode == 0, up.stderr
    try:
        yield found
    finally:
        found.run("sandbox", "down")


def open_shop(sandbox: Sandbox, folder: Path, **changes: Any) -> Shop:
    """Install the mesh by sohistio, with an address of this sandbox's own; then the application."""
    second_octet = 100 + traffic_of(sandbox)["traffic"]["number"]
    address = f"127.{second_octet}.2.10"
    flags = own_environments(folder, ingressAddress=address, applicationNamespaces=[], **changes)
    installed = sandbox.run("install", *flags)
    assert installed.returncode == 0, installed.stderr
    authority = Authority("the test's")
    deploy(sandbox.api, HOST, authority)
    found = Shop(sandbox, address, authority.certificate)
    # Each gateway's Envoy gets its configuration by itself, and connections go to them in turn.
    await_true(lambda: all(found.status() == 200 for _ in range(9)))
    return found


def await_true(done: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.2)


def traffic_of(sandbox: Sandbox, name: str = "local") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sandbox.run("sandbox", "status", "--name", name, "--output", "json").stdout)
    return found
