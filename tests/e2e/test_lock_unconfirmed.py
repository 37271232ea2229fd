"""A run that cannot renew its lock stops writing in time, whatever hangs; and goes on only if the lock is still its."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from audited import LEASE, SECONDS, longest_without_renewal
from conftest import CHECKOUT, Sandbox
from faulty import HANG, Fault, FaultyServer, Request
from killing import last_run

pytestmark = pytest.mark.e2e

# Seconds after the last renewal could get through; it may have been 5 s earlier.
AT_WORK, ENDED = 14.0, 27.0


class Slow:
    """istioctl's writes take a second each until `over`; the Lease cannot be reached once `hangs`."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.over = threading.Event()
        self.hangs = False
        self.writes: list[float] = []

    def decide(self, request: Request) -> Fault | None:
        if request.writes and "istioctl" in request.agent:
            self.begun.set()
            self.writes.append(time.monotonic())
            self.over.wait(1.0)
        return HANG if self.hangs and request.path == LEASE else None


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    assert sandbox.run("sandbox", "reset").returncode == 0
    done = sandbox.run("install", "--env", "local")
    assert done.returncode == 0, done.stdout + done.stderr
    return sandbox


@contextmanager
def reapplying(box: Sandbox, kubeconfig: Path, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An install that has something to apply."""
    path = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"
    box.api.merge_patch(path, {"spec": {"maxReplicas": 20}})
    where = ("--env", "local", "--yes", "--kubeconfig", str(kubeconfig), "--context", box.context)
    with said.open("wb") as output:
        process = subprocess.Popen(
            box.command("install", *where),
            cwd=CHECKOUT,
            env=box.environ(SOHISTIO_ISTIO_MIRROR=box.mirror),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def istioctl_of(process: subprocess.Popen[bytes]) -> bool:
    """Whether the run has an istioctl at work."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, fields = file.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name == "istioctl" and fields.split()[1] == str(process.pid) and fields.split()[0] != "Z":
            return True
    return False


def gone_after(process: subprocess.Popen[bytes], begun: float) -> float:
    """Seconds after which istioctl is gone. Until shortly before the run has to stop, it is at work."""
    while time.monotonic() - begun < AT_WORK:
        assert istioctl_of(process)
        time.sleep(0.2)
    while istioctl_of(process):
        assert time.monotonic() - begun < ENDED
        time.sleep(0.1)
    return time.monotonic() - begun


def login_that_hangs(document: Path, folder: Path) -> Callable[[bool], None]:
    """Put a login command in the kubeconfig in place of its token: it hangs for sohistio, not for istioctl."""
    config = yaml.safe_load(document.read_text())
    token, switch, script = config["users"][0]["user"].pop("token"), folder / "hangs", folder / "login"
    script.write_text(
        "#!/bin/bash\n"
        f"while [ -e {switch} ] && ! grep -q istioctl /proc/$PPID/comm; do sleep 0.1; done\n"
        "expires=$(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%SZ)\n"
        'echo \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": '
        f'{{"token": "{token}", "expirationTimestamp": "\'$expires\'"}}}}\'\n'
    )
    script.chmod(0o700)
    version = "client.authentication.k8s.io/v1"
    config["users"][0]["user"]["exec"] = {"apiVersion": version, "command": str(script), "interactiveMode": "Never"}
    document.write_text(yaml.safe_dump(config))
    return lambda hangs: switch.touch() if hangs else switch.unlink()


def test_the_lease_hangs_and_another_run_takes_it(meshed: Sandbox, tmp_path: Path) -> None:
    since, slow, said = datetime.now(UTC), Slow(), tmp_path / "said"
    with FaultyServer(meshed, tmp_path) as server:
        server.decide = slow.decide
        with reapplying(meshed, server.kubeconfig(meshed, tmp_path), said) as run:
            assert slow.begun.wait(60), said.read_text()
            slow.hangs, begun = True, time.monotonic()
            gone_after(run, begun)
            assert slow.writes[-1] - begun > AT_WORK, "it would have gone on"
            spec = {"holderIdentity": "ada@elsewhere run 1", "renewTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"}
            meshed.api.merge_patch(LEASE, {"spec": spec})
            slow.hangs = False
            server.released.set()
            assert run.wait(30) == 1, said.read_text()
    text = said.read_text()
    assert "the lock could not be renewed for 20 s: nothing is written until it is" in text
    assert "Error: the run lost its lock." in text
    assert "is run again" not in text
    seconds, write = longest_without_renewal(meshed, since)
    assert AT_WORK < seconds < SECONDS, write
    entry = last_run(meshed)
    assert entry is not None
    assert entry.outcome == "running", "the record is no longer its to write"
    assert meshed.run("unlock", "--env", "local", "--reason", "a test").returncode == 0


def test_the_login_hangs_and_the_lease_is_still_its(meshed: Sandbox, tmp_path: Path) -> None:
    since, slow, said = datetime.now(UTC), Slow(), tmp_path / "said"
    with FaultyServer(meshed, tmp_path) as server:
        server.decide = slow.decide
        kubeconfig = server.kubeconfig(meshed, tmp_path)
        hang = login_that_hangs(kubeconfig, tmp_path)
        with reapplying(meshed, kubeconfig, said) as run:
            assert slow.begun.wait(90), said.read_text()
            hang(True)
            gone_after(run, time.monotonic())
            slow.over.set()
            hang(False)
            assert run.wait(90) == 0, said.read_text()
    text = said.read_text()
    assert "the lock is still this run's: going on" in text
    assert text.count("istioctl install is run again: what it had applied stays") == 1
    seconds, write = longest_without_renewal(meshed, since)
    assert AT_WORK < seconds < SECONDS, write
    entry = last_run(meshed)
    assert entry is not None
    assert entry.outcome == "done"
