"""Ctrl-C and SIGTERM: exit code 130, what is done is said, nothing runs on, and the next run finishes the work."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from accounts import kubeconfig_for
from killing import istioctls
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.record_store import read_record
from workloads import apply, await_running, deployment, namespace, pods_of

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
LONGEST = 180.0


class Background:
    """sohistio at work, with its output in files."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.stdout = folder / "stdout"
        self.stderr = folder / "stderr"
        self._process = process

    def interrupt(self, number: signal.Signals, once: str) -> int:
        """Send the signal once this was told; the exit code."""
        deadline = time.monotonic() + LONGEST
        while once not in self.stdout.read_text() + self.stderr.read_text():
            assert self._process.poll() is None, self.stderr.read_text()
            assert time.monotonic() < deadline, f"{once!r} was not told: {self.stdout.read_text()}"
            time.sleep(0.05)
        self._process.send_signal(number)
        return self._process.wait(LONGEST)


@contextmanager
def started(sandbox: Sandbox, folder: Path, *arguments: str, through: tuple[str, ...] = ()) -> Iterator[Background]:
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            # Whoever runs the tests may ignore SIGHUP (nohup, a CI agent): sohistio is to hear it.
            ("/usr/bin/env", "--default-signal=HUP", *through, *sandbox.command(*arguments)),
            cwd=CHECKOUT,
            env=sandbox.environ(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        try:
            yield Background(folder, process)
        finally:
            process.kill()
            process.wait()


def test_stopped_at_work(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox = empty_sandbox
    apply(sandbox.api, namespace("shop"))
    for name in ("a-slow", "b-next"):
        apply(sandbox.api, deployment("shop", name, labels={"sandbox.sohistio/slow": "4s"}))
    await_running(sandbox.api, "shop", 4)

    with started(sandbox, tmp_path, "install", *LOCAL) as run:
        assert run.interrupt(signal.SIGINT, once="istiod 0/") == 130
    said = run.stderr.read_text()
    assert "Error: interrupted." in said
    assert "  interrupted, may be half done: install Istio 1.31.1" in said
    assert "  not started: verify the mesh" in said
    assert "run the same command again" in said
    assert "Traceback" not in said + run.stdout.read_text()
    assert istioctls(sandbox) == []

    one_at_a_time = tmp_path / "environments"
    subprocess.run(["cp", "-r", str(CHECKOUT / "environments"), str(one_at_a_time)], check=True)  # noqa: S607
    with (one_at_a_time / "local" / "environment.yaml").open("a") as file:
        file.write("restarts: {parallel: 1}\n")
    flags = (*LOCAL, "--environments", str(one_at_a_time))
    with started(sandbox, tmp_path, "install", *flags, "--output", "json") as run:
        assert run.interrupt(signal.SIGTERM, once="shop/a-slow 0/2") == 130
    result = json.loads(run.stdout.read_text())
    assert (result["outcome"], result["exitCode"]) == ("interrupted", 130)
    states = {step["id"]: step["state"] for step in result["steps"]}
    assert states["control-plane/install"] == "done"
    assert states["sidecars/restart"] == "interrupted"
    assert states["verify/mesh"] == "notStarted"
    details = result["error"]["details"]
    assert "done: " in details[0]
    assert details[-1] == "not started: verify the mesh of 1.31.1"
    assert not any(has_proxy for has_proxy in proxies(sandbox, "b-next"))

    with started(sandbox, tmp_path, "install", *flags) as run:
        assert run.interrupt(signal.SIGHUP, once="/2 ready") == 130
    record = read_record(sandbox.api)
    assert record is not None
    assert record.runs[-1].outcome == "interrupted"

    with started(sandbox, tmp_path, "install", *flags, through=("nohup",)) as run:
        assert run.interrupt(signal.SIGHUP, once="comparing the manifest") == 0, run.stderr.read_text()
    assert all(proxies(sandbox, "a-slow") + proxies(sandbox, "b-next"))


def proxies(sandbox: Sandbox, app: str) -> list[bool]:
    """For each pod, whether it has a sidecar."""
    containers = [
        [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
        for pod in pods_of(sandbox.api, "shop", app)
    ]
    return [any(container["name"] == "istio-proxy" for container in pod) for pod in containers]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_before_anything_was_touched(sandbox: Sandbox, tmp_path: Path, number: signal.Signals) -> None:
    """While it waits for an API server that is silent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = f"http://127.0.0.1:{silent.getsockname()[1]}"
        kubeconfig = kubeconfig_for(sandbox, tmp_path, "any", server=server)
        arguments = ("--env", "local", "--context", sandbox.context, "--kubeconfig", str(kubeconfig))
        with started(sandbox, tmp_path, "install", *arguments) as run:
            begun = time.monotonic()
            assert run.interrupt(number, once="looking at http") == 130
            assert time.monotonic() - begun < 12
    said = run.stdout.read_text() + run.stderr.read_text()
    assert "Traceback" not in said
    assert "nterrupted" in said
