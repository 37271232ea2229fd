"""Images on every node before they are needed: a DaemonSet that comes, waits and goes."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from json_schemas import check
from killing import killed_once
from sandboxes import CHECKOUT, Sandbox

pytestmark = pytest.mark.e2e

PREPULL = ("images", "prepull", "--env", "local", "--yes")
DAEMON_SETS = "/apis/apps/v1/namespaces/istio-system/daemonsets"


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    sandbox.with_mesh()
    return sandbox


def daemon_sets(box: Sandbox) -> list[dict[str, Any]]:
    return box.api.items(DAEMON_SETS)


@contextmanager
def a_node_that_pulls_nothing(box: Sandbox) -> Iterator[None]:
    """One that no kubelet looks after: its pods stay as they are."""
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "deaf", "labels": {"kubernetes.io/os": "linux"}}}
    box.api.create("/api/v1/nodes", body)
    try:
        yield
    finally:
        box.api.delete("/api/v1/nodes/deaf")


def test_every_node_pulls_and_nothing_stays(meshed: Sandbox) -> None:
    done = meshed.run(*PREPULL, "-o", "json")
    assert done.returncode == 0, done.stderr
    result = check(done.stdout, "RunResult")
    assert [step["id"] for step in result["steps"]] == ["images/prepull"]
    assert "pull 2 images on every node (3 of 3 may lack some)" in done.stderr
    assert "all images are on 3 nodes" in done.stderr
    assert daemon_sets(meshed) == []
    assert "prepull" in meshed.run("history", "--env", "local").stdout


def test_a_node_that_does_not_pull_is_named(meshed: Sandbox) -> None:
    with a_node_that_pulls_nothing(meshed):
        failed = meshed.run(*PREPULL, "--component-timeout", "3s")
    assert failed.returncode == 1
    said = " ".join(failed.stderr.split())
    assert "1 of 4 nodes (deaf) did not pull all images within 3 s" in said
    assert "deaf: Unschedulable: 0/4 nodes are available" in said
    assert "kubectl describe daemonset,pods" in said
    assert daemon_sets(meshed) == []


def test_a_quota_that_lets_no_pod_in_is_named(meshed: Sandbox) -> None:
    path = "/api/v1/namespaces/istio-system/resourcequotas"
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}, "spec": {"hard": {"pods": "0"}}}
    meshed.api.create(path, body)
    try:
        failed = meshed.run(*PREPULL, "--component-timeout", "4s")
    finally:
        meshed.api.delete(f"{path}/full")
    said = " ".join(failed.stderr.split())
    assert "3 of 3 nodes did not pull all images within 4 s" in said
    assert "exceeded quota: full" in said


def test_stopped_it_takes_its_daemon_set_along_and_killed_the_next_run_does(meshed: Sandbox) -> None:
    with a_node_that_pulls_nothing(meshed):
        process = subprocess.Popen(
            meshed.command(*PREPULL),
            cwd=CHECKOUT,
            env=meshed.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not daemon_sets(meshed):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert daemon_sets(meshed) == []
        killed, said = killed_once(meshed, lambda: bool(daemon_sets(meshed)), *PREPULL)
        assert killed, said
        assert daemon_sets(meshed) != []
    again = meshed.run(*PREPULL)
    assert again.returncode == 0, again.stderr
    assert daemon_sets(meshed) == []
