"""Killed outright at any instant: the next run says where the last one ended, and ends as an unbroken one does."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from functools import partial

import pytest

from killing import LOCAL, Kept, kept, killed_once, last_run, no_istioctl_is_left, settle, sidecars
from sandboxes import Sandbox

pytestmark = pytest.mark.e2e

PLACES = ("shop", "payments")
# Nobody waits for a dead run's lock on the machine where it died (test_lock.py: on another one).
FREE_AT_ONCE = "its process was on this machine and has ended: the lock is free"
# Not control-plane/await: istioctl has waited already, so it may be over in milliseconds.
HOP = ("control-plane/install", "sidecars/restart", "verify/mesh")
OLD, OLDER, NEW = ("--version", "1.30.5"), ("--version", "1.29.8"), ("--version", "1.31.1")


def as_unbroken(sandbox: Sandbox, version: tuple[str, str], before: Kept) -> None:
    """In sync, verified, recorded, nothing lost, every sidecar of the version, nobody holds the lock."""
    planned = sandbox.run("plan", *LOCAL, *version, "--output", "json")
    plan = json.loads(planned.stdout)
    assert (plan["mode"], plan["phases"]) == ("none", []), planned.stdout
    assert kept(sandbox) == before
    for plural in ("apps/v1/deployments", "autoscaling/v2/horizontalpodautoscalers"):
        assert not sandbox.api.items(f"/apis/{plural}", labels="sohistio/kept-gateway"), "labels are put back"
    assert sidecars(sandbox, PLACES) == {version[1]}
    run = last_run(sandbox)
    assert run is not None
    assert (run.outcome, run.to_version) == ("done", version[1]), "done is verified, too"
    lease = sandbox.api.get("/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/sohistio")
    assert lease is not None
    # A run may be killed when all is done and recorded, right before it gives its lock back: that expires.
    holder = lease["spec"].get("holderIdentity", "")
    assert not holder or holder.endswith(f" run {run.id}")


def next_step(sandbox: Sandbox, seen: set[str]) -> Callable[[], bool]:
    """Holds once a run begins a step whose id was not seen before."""
    known = last_run(sandbox)

    def now() -> bool:
        run = last_run(sandbox)
        if run is None or not run.last_step or (known and run.id == known.id) or run.last_step in seen:
            return False
        seen.add(run.last_step)
        return True

    return now


@pytest.mark.parametrize(
    ("origin", "flags", "expected"),
    [
        pytest.param(
            OLDER,
            (*NEW, "--yes"),
            ("backup/take", "old-control-plane/keep-gateways", "old-control-plane/uninstall", *HOP),
            id="replace",
        ),
        pytest.param(
            OLDER,
            (*NEW, "--via", "1.30.5"),
            ("backup/take", *(f"1.30.5/{step}" for step in HOP), *HOP),
            id="chain",
        ),
    ],
)
def test_killed_at_every_step(
    empty_sandbox: Sandbox, origin: tuple[str, str], flags: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """One run after the other is killed when it begins a step that none has begun before."""
    sandbox = empty_sandbox
    first = sandbox.run("install", *LOCAL, *origin)
    assert first.returncode == 0, first.stdout + first.stderr
    settle(sandbox, PLACES, each=2)
    before = kept(sandbox)

    seen: set[str] = set()
    ended = ""
    killed = True
    while killed:
        killed, said = killed_once(sandbox, next_step(sandbox, seen), "install", *LOCAL, *flags)
        assert ended in said, said
        assert not ended or FREE_AT_ONCE in said, said
        no_istioctl_is_left(sandbox)
        run = last_run(sandbox)
        assert run is not None
        # Its last write may be made by the time the kill comes.
        assert run.outcome == "done" or (killed and run.outcome == "running")
        ended = f"did not finish: it was last seen at step {run.last_step}" if run.outcome == "running" else ""
        assert len(seen) < 20, seen
    missing = [step for step in expected if step not in seen]
    assert not missing, f"not killed at {missing}, only at {sorted(seen)}"
    as_unbroken(sandbox, NEW, before)


def is_over(instant: float) -> bool:
    return time.monotonic() > instant


def killed_at_random(sandbox: Sandbox, times: int) -> None:
    """Up and down between two minors; each run is killed at an instant of its own, and the next one finishes."""
    first = sandbox.run("install", *LOCAL, *OLD)
    assert first.returncode == 0, first.stdout + first.stderr
    settle(sandbox, PLACES, each=2)
    before = kept(sandbox)
    up, down = (NEW, NEW), (OLD, (*OLD, "--mode", "reinstall", "--yes"))
    longest = {}
    for version, flags in (up, down):
        begun = time.monotonic()
        unbroken = sandbox.run("install", *LOCAL, *flags)
        assert unbroken.returncode == 0, unbroken.stdout + unbroken.stderr
        longest[version] = time.monotonic() - begun
        as_unbroken(sandbox, version, before)
    for number in range(times):
        version, flags = down if number % 2 else up
        instant = random.uniform(0.2, longest[version])  # noqa: S311 — no secret
        killed_once(sandbox, partial(is_over, time.monotonic() + instant), "install", *LOCAL, *flags)
        no_istioctl_is_left(sandbox)
        done = sandbox.run("install", *LOCAL, *flags)
        assert done.returncode == 0, f"killed after {instant:.2f} s\n{done.stdout}{done.stderr}"
        as_unbroken(sandbox, version, before)


def test_killed_at_random_instants(empty_sandbox: Sandbox) -> None:
    killed_at_random(empty_sandbox, 30)


@pytest.mark.bench
def test_killed_at_many_random_instants(empty_sandbox: Sandbox) -> None:
    killed_at_random(empty_sandbox, 100)
