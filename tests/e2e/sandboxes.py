"""A running sandbox as end-to-end tests have it, and sohistio as a user runs it against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from kept_clusters import EMPTY, alone, begun_with_a_mesh, keep, kept_clusters, put_back
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.model.kube_target import KubeTarget
from warm import WARM

CHECKOUT = Path(__file__).parents[2]
LONGEST_COMMAND = 300
USER = "sohistio-admin"
NEWEST = "1.31.1"
SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"


_READS = ('"verb":"get"', '"verb":"list"', '"verb":"watch"')


def api_of(kubeconfig: Path, context: str) -> KubeApi:
    """The API server, on a connection that is there already; what was asked before is not remembered."""
    api = copy(_connected(kubeconfig, context, kubeconfig.stat().st_mtime_ns))
    api.dry_runs, api._resources = {}, {}
    return api


@lru_cache(maxsize=16)
def _connected(kubeconfig: Path, context: str, _written: int) -> KubeApi:
    return KubeApi(KubeTarget(kubeconfig, context))


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
        return api_of(self.kubeconfig, self.context)

    def writes(self, user: str = USER) -> list[str]:
        """What a user has written, each as its verb and where."""
        return [f"{event['verb']} {event['requestURI']}" for event in self.write_events(user)]

    def write_events(self, user: str = USER) -> list[dict[str, Any]]:
        """What a user (sohistio and its istioctl, not the cluster's own parts) has written, from the audit log.

        Dry runs and what was refused are left out, and so are access reviews, which are questions asked with a POST.
        """
        return [event for event in self._all_write_events() if event["user"].get("username", "") == user]

    def requests(self, user: str = USER) -> int:
        """How many requests a user (sohistio and its istioctl) has made, from the audit log, dry runs too."""
        own = f'"username":"{user}"'
        events = (json.loads(line) for line in self._completed() if own in line)
        return sum(event["user"].get("username") == user for event in events)

    def reset(self) -> None:
        """An empty cluster, but where nobody has written to this one since it was one.

        What its own parts write (users and service accounts of `system:`) they write to every new cluster, and
        otherwise only because of what somebody else has written.
        """
        writers = {event["user"].get("username", "") for event in self._all_write_events()}
        if begun_with_a_mesh(self.folder) or not all(writer.startswith("system:") for writer in writers):
            self._begin_as_kept(EMPTY, ("sandbox", "reset"))

    def with_mesh(self, version: str = NEWEST) -> None:
        """A cluster with the mesh of environment local, as `install` leaves it, and nothing else.

        The audit log begins after the install.
        """
        self._begin_as_kept(version, ("sandbox", "reset"), ("install", "--env", "local", "--version", version))

    def _begin_as_kept(self, name: str, *commands: tuple[str, ...]) -> None:
        """The cluster as these commands make it, which they do once in a test run."""
        kept = kept_clusters(self.state_home) / name
        with alone(kept):
            if not kept.exists():
                for command in commands:
                    self._do(*command)
                keep(self.folder, kept)
        record = (self.folder / "sandbox.json").read_bytes()
        self._do("sandbox", "down")
        put_back(kept, self.folder, record)
        self._do("sandbox", "up")

    @property
    def folder(self) -> Path:
        """All files of the sandbox."""
        return self.kubeconfig.parent

    @property
    def folders_of_runs(self) -> set[Path]:
        """Private ones. This process has one, too, where a story has asked the API server from here."""
        folders = (self.state_home / "sohistio" / "kubeconfigs").glob("*")
        return {folder for folder in folders if f"-{os.getpid()}-" not in folder.name}

    def _do(self, *arguments: str) -> None:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def _all_write_events(self) -> list[dict[str, Any]]:
        events = (json.loads(line) for line in self._completed() if not any(read in line for read in _READS))
        return [
            event
            for event in events
            if event["responseStatus"]["code"] < 400
            and "dryRun=All" not in event["requestURI"]
            and "accessreviews" not in event["requestURI"]
        ]

    def _completed(self) -> Iterator[str]:
        """The lines of requests that have an answer: to read all as JSON takes most of a second, time and again."""
        with (self.folder / "audit.log").open(encoding="utf-8") as log:
            yield from (line for line in log if '"stage":"ResponseComplete"' in line)
