"""The lock: two runs at once, one that died, one whose lock is taken away."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from killing import LOCAL, last_run, no_istioctl_is_left
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.hold import LEASE_SECONDS, RENEW_SECONDS, Hold
from sohistio.adapters.kubernetes.lease import Lock, holder_of, unlock
from sohistio.errors import InterruptedRunError, RefusedError
from workloads import apply, deployment, namespace

pytestmark = pytest.mark.e2e

LEASES = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases"


@contextmanager
def at_work(sandbox: Sandbox, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """An install that holds the lock and goes on."""
    process = subprocess.Popen(
        sandbox.command("install", *LOCAL, *arguments),
        cwd=CHECKOUT,
        env=sandbox.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while holder_of(sandbox.api) is None or last_run(sandbox) is None:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.communicate()


def slow_workload(sandbox: Sandbox) -> None:
    """Its restart keeps a run at work."""
    apply(sandbox.api, namespace("shop"))
    apply(sandbox.api, deployment("shop", "slow", replicas=1, labels={"sandbox.sohistio/slow": "10s"}))


def as_if_elsewhere(sandbox: Sandbox) -> None:
    """The run that holds the lock was on another machine, so that nobody here knows that it is gone."""
    key = "sohistio/process"
    lease = sandbox.api.get(f"{LEASES}/sohistio")
    assert lease is not None
    process = json.loads(lease["metadata"]["annotations"][key]) | {"boot": "another"}
    sandbox.api.merge_patch(f"{LEASES}/sohistio", {"metadata": {"annotations": {key: json.dumps(process)}}})


@dataclass
class Waiter:
    """A lock as one run takes it, with what it said."""

    sandbox: Sandbox
    said: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def lock(self) -> Lock:
        return Lock(self.sandbox.api, self.said.append, self.stop)


def hold(sandbox: Sandbox, renewed: datetime) -> None:
    """A Lease as a run on a machine with another clock writes it."""
    spec = {"holderIdentity": "ada@elsewhere run 1", "leaseDurationSeconds": 30, "renewTime": stamp(renewed)}
    path = f"{LEASES}/sohistio"
    if sandbox.api.get(path) is None:
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "sohistio"}, "spec": spec}
        sandbox.api.create(LEASES, body)
    else:
        sandbox.api.merge_patch(path, {"spec": spec})


def stamp(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture
def without_mesh(sandbox: Sandbox) -> Sandbox:
    """As the story before left it, where that is without Istio, without a workload, and with the lock free."""
    left = ("/apis/apps/v1/namespaces/istio-system/deployments/istiod", "/api/v1/namespaces/shop")
    if any(sandbox.api.get(path) for path in left) or holder_of(sandbox.api) is not None:
        sandbox.reset()
    return sandbox


def test_one_of_many_takes_it(empty_sandbox: Sandbox) -> None:
    """Eight at the same moment, where there was none before: the API server lets one win."""
    sandbox = empty_sandbox
    inside: list[str] = []
    refused: list[str] = []
    start, leave = threading.Barrier(8), threading.Event()

    def contend(name: str) -> None:
        start.wait()
        try:
            with Waiter(sandbox).lock().held(name, Hold(threading.Event())):
                inside.append(name)
                leave.wait(60)
        except RefusedError as error:
            refused.append(error.what)
        if len(refused) == 7:
            leave.set()

    threads = [threading.Thread(target=contend, args=(f"run {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(inside), len(refused)) == (1, 7)
    assert holder_of(sandbox.api) is None


def test_clocks_decide_nothing(without_mesh: Sandbox) -> None:
    """A holder whose clock is hours off is alive as long as it renews; waiting ends when it is freed or interrupted."""
    sandbox = without_mesh
    with Waiter(sandbox).lock().held("first", Hold(threading.Event())):
        pass  # makes the namespace, and leaves a free Lease
    for off in (timedelta(hours=-3), timedelta(hours=3)):
        hold(sandbox, datetime.now(UTC) + off)
        waiter = Waiter(sandbox)
        timer = threading.Timer(1.0, hold, (sandbox, datetime.now(UTC) + off + timedelta(seconds=5)))
        timer.start()
        with pytest.raises(RefusedError, match="another run is active") as raised:
            waiter.lock().await_free()
        timer.join()
        assert "ada@elsewhere" in raised.value.details[0]

    waiter = Waiter(sandbox)
    timer = threading.Timer(1.0, unlock, (sandbox.api, "a test"))
    timer.start()
    with waiter.lock().held("second", Hold(threading.Event())):
        timer.join()
        found = holder_of(sandbox.api)
        assert found is not None
        assert found.identity == "second"

    hold(sandbox, datetime.now(UTC))
    waiter = Waiter(sandbox)
    threading.Timer(1.0, waiter.stop.set).start()
    with pytest.raises(InterruptedRunError):
        waiter.lock().await_free()
    unlock(sandbox.api, "a test")


def test_a_purge_takes_the_lease_along_and_goes_on(without_mesh: Sandbox) -> None:
    """The namespace goes with all that is in it: no other run can be there. A Lease deleted alone is a lock lost."""
    api = without_mesh.api
    istio_system = "/api/v1/namespaces/istio-system"
    hold = Hold(threading.Event())
    with Waiter(without_mesh).lock().held("purge", hold):
        # A finalizer keeps the namespace, as a slow cluster does, for longer than a renewal takes to come.
        guard = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "guard", "finalizers": ["test/guard"]}}
        api.create(f"{istio_system}/configmaps", guard)
        api.delete(istio_system)
        assert not hold.lost.wait(RENEW_SECONDS * 1.5)
        api.merge_patch(f"{istio_system}/configmaps/guard", {"metadata": {"finalizers": None}})
    deadline = time.monotonic() + 60
    while api.get(istio_system) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with Waiter(without_mesh).lock().held("deleted", hold):
        api.delete(f"{LEASES}/sohistio")
        assert hold.lost.wait(RENEW_SECONDS * 3)


def test_two_runs_at_once_then_one_that_dies(without_mesh: Sandbox) -> None:
    sandbox = without_mesh
    slow_workload(sandbox)
    with at_work(sandbox) as first:
        begun = time.monotonic()
        refused = sandbox.run("install", *LOCAL)
        assert time.monotonic() - begun < 2 * RENEW_SECONDS + 10
        assert refused.returncode == 3, refused.stdout + refused.stderr
        assert "Error: another run is active on this cluster." in refused.stderr
        holder = rf"the lock is held by \S+@{re.escape(socket.gethostname())} run [0-9a-f]{{12}}, since 20\d\d-"
        assert re.search(holder, refused.stderr)
        assert first.poll() is None, "the first is not disturbed"

        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        killed = time.monotonic()
        no_istioctl_is_left(sandbox)
        as_if_elsewhere(sandbox)
        successor = sandbox.run("install", *LOCAL)
        assert successor.returncode == 0, successor.stdout + successor.stderr
        assert "it no longer renews its lock and is probably dead: the lock expires in " in successor.stderr
        assert successor.stderr.count("the lock has expired") == 1, "it is watched, and told, once"
        assert time.monotonic() - killed > LEASE_SECONDS
    history = sandbox.run("history", *LOCAL)
    assert "brokeOff" in history.stdout
    assert holder_of(sandbox.api) is None


def test_a_run_stops_when_its_lock_is_taken_away(empty_sandbox: Sandbox) -> None:
    sandbox = empty_sandbox
    slow_workload(sandbox)
    with at_work(sandbox) as run:
        freed = sandbox.run("unlock", *LOCAL, "--reason", "it hangs, says ada")
        assert freed.returncode == 0
        assert "it was held by " in freed.stdout
        said, _ = run.communicate(timeout=RENEW_SECONDS * 3 + 60)
        assert run.returncode == 1, said
        assert "Error: the run lost its lock." in said
        entry = last_run(sandbox)
        assert entry is not None
        assert entry.outcome == "running", "the record is no longer its to write"
        no_istioctl_is_left(sandbox)
    lease = sandbox.api.get(f"{LEASES}/sohistio")
    assert lease is not None
    assert lease["metadata"]["annotations"]["sohistio/unlocked-because"] == "it hangs, says ada"
    assert "was free already" in sandbox.run("unlock", *LOCAL, "--reason", "again").stdout
    assert sandbox.run("unlock", *LOCAL, "--reason", " ").returncode == 2
