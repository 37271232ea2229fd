"""A user's own sandboxes, by the command line: a state folder of its own for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sohistio.sandbox.cluster_api import ClusterApi


@dataclass(frozen=True)
class Home:
    """A user's state folder, and the command line run with it. `more` goes into the environment."""

    state: Path

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sohistio", "sandbox", *arguments]
        environment = os.environ | {"XDG_STATE_HOME": str(self.state)} | more
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)

    def folder(self, name: str) -> Path:
        return self.state / "sohistio" / "sandbox" / name

    def status(self, name: str = "local") -> tuple[int, dict[str, Any]]:
        result = self.run("status", "--name", name, "--output", "json")
        return result.returncode, json.loads(result.stdout)

    def pid(self, part: str, name: str = "local") -> int:
        _, document = self.status(name)
        return next(int(found["pid"]) for found in document["parts"] if found["name"] == part)

    @contextmanager
    def api(self, name: str = "local", token: str = "") -> Iterator[ClusterApi]:
        config = yaml.safe_load((self.folder(name) / "kubeconfig").read_text())
        authority = self.folder(name) / "tls" / "apiserver.crt"
        api = ClusterApi(
            config["clusters"][0]["cluster"]["server"], authority, token or config["users"][0]["user"]["token"]
        )
        try:
            yield api
        finally:
            api.close()


@contextmanager
def home_in(state: Path) -> Iterator[Home]:
    home = Home(state)
    try:
        yield home
    finally:
        if home.folder("x").parent.exists():
            for folder in list(home.folder("x").parent.iterdir()):
                home.run("down", "--name", folder.name)


def until(done: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
