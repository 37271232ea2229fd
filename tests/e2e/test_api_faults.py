"""An API server in trouble: the run finishes, or stops with one clear error and its exit code; nothing is half-told."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from faulty import EXPIRED, HANG, LOST, RESET, THROTTLED, Decision, Fault, FaultyServer, Request, at_random, first
from killing import await_said, last_run
from sandboxes import Sandbox
from sohistio.adapters.kubernetes.sender import READ_SECONDS, TRIES, TRIES_IN_SILENCE
from unrenewed import (
    AT_WORK,
    LEASE,
    LEASE_SECONDS,
    Slow,
    gone_after,
    login_that_hangs,
    longest_without_renewal,
    reapplying,
)
from workloads import apply, await_running, deployment, namespace

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    """The sandbox with a mesh in sync and one workload."""
    sandbox.with_mesh()
    apply(sandbox.api, namespace("shop"))
    apply(sandbox.api, deployment("shop", "web"))
    await_running(sandbox.api, "shop", 2)
    return sandbox


@pytest.fixture
def faulty(meshed: Sandbox, tmp_path: Path) -> Iterator[FaultyServer]:
    with FaultyServer(meshed, tmp_path) as server:
        yield server


def run(box: Sandbox, server: FaultyServer, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """sohistio through the proxy; whatever comes of it, it is told in one piece."""
    where = ("--env", "local", "--kubeconfig", str(server.kubeconfig(box, folder)), "--context", box.context)
    done = box.run(*command, *where, SOHISTIO_ISTIO_MIRROR=box.mirror)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "has a bug" not in said
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == (0 if done.returncode == 0 else 1), said
    if done.returncode:
        assert f"(exit code {done.returncode}; docs/" in done.stderr
    if "json" in command:
        assert json.loads(done.stdout)["schemaVersion"] == "1", "one document"
    return done


def lists(request: Request) -> bool:
    return request.method == "GET" and "limit" in request.query


def drift(box: Sandbox) -> None:
    """Something for an install to do."""
    path = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"
    box.api.merge_patch(path, {"spec": {"maxReplicas": 20}})


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(THROTTLED, id="429"),
        pytest.param(Fault(500), id="500"),
        pytest.param(Fault(503, {"Retry-After": "1"}), id="503"),
        pytest.param(RESET, id="reset"),
        pytest.param(LOST, id="answer-lost"),
    ],
)
def test_a_plan_gets_over_a_few(meshed: Sandbox, faulty: FaultyServer, tmp_path: Path, fault: Fault) -> None:
    faulty.decide = first(TRIES - 1, fault)
    planned = run(meshed, faulty, tmp_path, "plan", "--exit-code", "--output", "json")
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["mode"] == "none"
    assert len(faulty.faults) == TRIES - 1


def test_a_page_that_expires_starts_the_list_again(meshed: Sandbox, tmp_path: Path) -> None:
    with FaultyServer(meshed, tmp_path, page=2) as server:
        server.decide = first(2, EXPIRED, lambda request: lists(request) and "continue" in request.query)
        planned = run(meshed, server, tmp_path, "plan", "--output", "json")
        assert len(server.faults) == 2
        straight = meshed.run("plan", "--env", "local", "--output", "json")
    assert planned.returncode == 0, planned.stderr
    told: list[dict[str, Any]] = [json.loads(done.stdout) | {"cluster": ""} for done in (planned, straight)]
    assert told[0] == told[1], "nothing is missing and nothing is there twice"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(THROTTLED, "answered 429", id="429"),
        pytest.param(Fault(503, {"Retry-After": "0"}), "answered 503", id="503"),
        pytest.param(RESET, "cannot be reached", id="reset"),
        pytest.param(EXPIRED, "answered 410", id="410"),
    ],
)
def test_a_server_that_stays_in_trouble_is_a_refusal(
    meshed: Sandbox, faulty: FaultyServer, tmp_path: Path, fault: Fault, words: str
) -> None:
    """A part of the lists is not guessed: the mode is unknown, and nothing is written."""
    before = meshed.writes()
    faulty.decide = lambda request: fault if "/pods" in request.path else None
    refused = run(meshed, faulty, tmp_path, "install", "--yes", "--output", "json")
    assert refused.returncode == 3
    error = json.loads(refused.stdout)["error"]
    assert error["what"] == "the cluster could not be read"
    assert any(line.startswith("Pods: ") and words in line for line in error["details"]), error
    assert meshed.writes() == before


def test_a_server_that_hangs_ends_in_an_error_in_time(meshed: Sandbox, faulty: FaultyServer, tmp_path: Path) -> None:
    faulty.decide = lambda request: HANG if request.path == "/version" else None
    started = time.monotonic()
    refused = run(meshed, faulty, tmp_path, "plan")
    assert refused.returncode == 3
    assert "timed out" in refused.stderr
    assert READ_SECONDS * TRIES_IN_SILENCE <= time.monotonic() - started < READ_SECONDS * TRIES_IN_SILENCE + 10


def test_writes_that_are_safe_to_repeat_are_repeated(meshed: Sandbox, faulty: FaultyServer, tmp_path: Path) -> None:
    """A merge patch of the record whose answer is lost, and one that is throttled."""
    drift(meshed)

    def ours(request: Request) -> bool:
        return request.method == "PATCH" and request.path.endswith("/sohistio-record")

    lost, throttled = first(1, LOST, ours), first(TRIES - 2, THROTTLED, ours)
    faulty.decide = lambda request: lost(request) or throttled(request)
    done = run(meshed, faulty, tmp_path, "install", "--yes", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert len(faulty.faults) == TRIES - 1
    history = json.loads(meshed.run("history", "--env", "local", "--output", "json").stdout)
    assert (history["runs"][-1]["outcome"], history["runs"][-1]["mode"]) == ("done", "reinstall")


@pytest.mark.parametrize("fault", [Fault(500), RESET], ids=["500", "reset"])
def test_a_write_that_is_not_is_told_and_nothing_was_touched(
    meshed: Sandbox, faulty: FaultyServer, tmp_path: Path, fault: Fault
) -> None:
    drift(meshed)
    before = meshed.writes()
    faulty.decide = lambda request: fault if request.writes and request.path.endswith("/leases/sohistio") else None
    refused = run(meshed, faulty, tmp_path, "install", "--yes")
    assert refused.returncode == 3
    assert "the lock that keeps two runs apart could not be taken" in refused.stderr
    assert len(faulty.faults) == 1, "it may have been taken: it is not tried again"
    assert meshed.writes() == before


def once_istioctl_writes(then: Callable[[Request, float], Fault | None]) -> Decision:
    """Nothing before istioctl's first write; then what `then` decides, given the seconds since."""
    begun = 0.0

    def decide(request: Request) -> Fault | None:
        nonlocal begun
        if not begun and request.writes and "istioctl" in request.agent:
            begun = time.monotonic()
        return then(request, time.monotonic() - begun) if begun else None

    return decide


def test_a_server_that_goes_away_for_a_moment_while_istioctl_works(
    meshed: Sandbox, faulty: FaultyServer, tmp_path: Path
) -> None:
    """The run waits for it and says so; istioctl, where it fails of it, is run once more."""
    drift(meshed)
    faulty.decide = once_istioctl_writes(lambda _, since: RESET if 0.2 < since < 4.2 else None)
    done = run(meshed, faulty, tmp_path, "install", "--yes", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert any("istioctl" not in request.agent for request, _ in faulty.faults)
    assert done.stderr.count("the API server does not answer: waiting for it") == 1, done.stderr
    assert done.stderr.count("the API server answers again, after ") == 1, done.stderr
    assert meshed.run("plan", "--env", "local", "--exit-code").returncode == 0


def test_a_server_that_stays_away_while_istioctl_works(meshed: Sandbox, faulty: FaultyServer, tmp_path: Path) -> None:
    """The run stops with one error that says what it waited for; the next one looks at the cluster and goes on."""
    drift(meshed)
    faulty.decide = once_istioctl_writes(lambda *_: Fault(503, {"Retry-After": "0"}))
    failed = run(meshed, faulty, tmp_path, "install", "--yes", "--output", "json", "--timeout", "12s")
    assert failed.returncode == 1, failed.stderr
    result = json.loads(failed.stdout)
    states = {step["id"]: step["state"] for step in result["steps"]}
    assert states["control-plane/install"] == "failed"
    assert states["verify/mesh"] == "notStarted"
    assert result["error"]["what"] == "the run took longer than its total timeout"
    assert any("the API server had not answered for" in line for line in result["error"]["details"])
    mended = meshed.run("install", "--env", "local", "--yes")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert meshed.run("plan", "--env", "local", "--exit-code").returncode == 0


def test_an_uninstall_that_hangs_half_way(meshed: Sandbox, faulty: FaultyServer, tmp_path: Path) -> None:
    """A failed step with its document and a closed record, which says first that there is no control plane.

    So does the next run, which has nothing to uninstall, where it fails too.
    """
    gone = False

    def decide(request: Request) -> Fault | None:
        nonlocal gone
        if request.method != "DELETE" or "istioctl" not in request.agent:
            return None
        if gone:
            return HANG
        gone = request.path.endswith("/deployments/istiod")
        return None

    faulty.decide = decide
    replace = ("install", "--version", "1.29.8", "--mode", "reinstall", "--yes")
    failed = run(meshed, faulty, tmp_path, *replace, "--output", "json", "--component-timeout", "5s")
    assert failed.returncode == 1, failed.stderr
    error = json.loads(failed.stdout)["error"]
    assert error["what"] == "istioctl uninstall did not end within 5 s"
    said = "There is no control plane now; run the same command again."
    assert error["todo"].startswith(said)
    assert error["todo"].lower().count("again") == 1
    history = json.loads(meshed.run("history", "--env", "local", "--output", "json").stdout)
    assert history["runs"][-1]["outcome"] == "failed"
    faulty.decide = lambda request: Fault(400) if request.writes and "istioctl" in request.agent else None
    failed = run(meshed, faulty, tmp_path, "install", "--yes", "--output", "json")
    result = json.loads(failed.stdout)
    assert failed.returncode == 1, failed.stderr
    assert not any("uninstall" in step["id"] for step in result["steps"])
    assert result["error"]["todo"].startswith(said)
    faulty.decide = lambda _: None
    mended = meshed.run("install", "--env", "local", "--yes")
    assert mended.returncode == 0, mended.stdout + mended.stderr


def test_a_server_that_goes_away_while_istioctl_uninstalls(
    meshed: Sandbox, faulty: FaultyServer, tmp_path: Path
) -> None:
    """For longer than the lock's renewal may take: the run waits, and istioctl is run once more."""
    begun = 0.0

    def decide(request: Request) -> Fault | None:
        nonlocal begun
        if not begun and request.method == "DELETE" and "istioctl" in request.agent:
            begun = time.monotonic()
        return RESET if begun and time.monotonic() - begun < 25 else None

    faulty.decide = decide
    replace = ("install", "--version", "1.29.8", "--mode", "reinstall", "--yes")
    done = run(meshed, faulty, tmp_path, *replace, "--output", "json")
    assert done.returncode == 0, done.stderr
    assert faulty.faults
    assert done.stderr.count("istioctl uninstall is run again") == 1, done.stderr
    entry = last_run(meshed)
    assert entry is not None
    assert (entry.outcome, entry.to_version) == ("done", "1.29.8")
    mended = meshed.run("install", "--env", "local", "--yes", "--mode", "reinstall")
    assert mended.returncode == 0, mended.stdout + mended.stderr


@pytest.mark.parametrize("seed", [1, 2])
def test_trouble_now_and_then(meshed: Sandbox, faulty: FaultyServer, tmp_path: Path, seed: int) -> None:
    """Every twentieth request, istioctl's too. However it ends, the next run mends it."""
    drift(meshed)
    faulty.decide = at_random(seed, 0.05, Fault(429, {"Retry-After": "1"}), Fault(500), Fault(503), RESET, LOST)
    done = run(meshed, faulty, tmp_path, "install", "--yes")
    assert faulty.faults
    assert done.returncode in (0, 1, 3, 5), done.stdout + done.stderr
    mended = meshed.run("install", "--env", "local", "--yes")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert meshed.run("verify", "--env", "local").returncode == 0


# --- the lock cannot be renewed


def test_the_lease_hangs_and_another_run_takes_it(meshed: Sandbox, tmp_path: Path) -> None:
    since, slow, said = datetime.now(UTC), Slow(), tmp_path / "said"
    with FaultyServer(meshed, tmp_path) as server:
        server.decide = slow.decide
        with reapplying(meshed, server.kubeconfig(meshed, tmp_path), said) as run:
            assert slow.begun.wait(60), said.read_text()
            slow.hangs, begun = True, time.monotonic()
            gone_after(run, begun)
            assert slow.writes[-1] - begun > AT_WORK, "it would have gone on"
            await_said(said, "the lock could not be renewed for 20 s: nothing is written until it is")
            spec = {"holderIdentity": "ada@elsewhere run 1", "renewTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"}
            meshed.api.merge_patch(LEASE, {"spec": spec})
            slow.hangs = False
            server.released.set()
            assert run.wait(30) == 1, said.read_text()
    text = said.read_text()
    assert "Error: the run lost its lock." in text
    assert "is run again" not in text
    seconds, write = longest_without_renewal(meshed, since)
    assert AT_WORK < seconds < LEASE_SECONDS, write
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
    assert "istioctl install is run again: what it had applied stays" in text, "on a busy machine more than once"
    seconds, write = longest_without_renewal(meshed, since)
    assert AT_WORK < seconds < LEASE_SECONDS, write
    entry = last_run(meshed)
    assert entry is not None
    assert entry.outcome == "done"
