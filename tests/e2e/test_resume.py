"""Killed outright at any instant: pods start, and the next run says where the last one ended, and does the rest."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import pytest

from killing import LOCAL, Kept, kept, killed_once, last_run, no_istioctl_is_left, settle, sidecars
from sandboxes import Sandbox
from sohistio.model.mode import Mode
from sohistio.model.record import RunEntry
from startable import pods_start

pytestmark = pytest.mark.e2e

SYSTEM = "/apis/apps/v1/namespaces/istio-system/deployments"
INJECTORS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
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
    sandbox: Sandbox, origin: tuple[str, str], flags: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """One run after the other is killed when it begins a step that none has begun before."""
    sandbox.with_mesh(origin[1])
    settle(sandbox, PLACES, each=1)
    before = kept(sandbox)

    seen: set[str] = set()
    ended = ""
    killed = True
    while killed:
        killed, said = killed_once(sandbox, next_step(sandbox, seen), "install", *LOCAL, *flags)
        assert ended in said, said
        assert not ended or FREE_AT_ONCE in said, said
        pods_start(sandbox.api, PLACES[0])
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


@dataclass(frozen=True)
class Leg:
    """A command that is killed, and what it ends in. A rollback that is done is not done again: it would go back."""

    kind: str
    version: tuple[str, str]
    words: tuple[str, ...]

    def is_done(self, run: RunEntry | None) -> bool:
        return self.kind == "rollback" and run is not None and run.mode is Mode.ROLLBACK and run.outcome == "done"


LEGS = (
    Leg("upgrade", NEW, ("install", *LOCAL, *NEW)),
    Leg("rollback", OLD, ("rollback", *LOCAL, "--yes")),
    Leg("replace", NEW, ("install", *LOCAL, *NEW, "--mode", "reinstall", "--yes")),
    Leg("rollback", OLD, ("rollback", *LOCAL, "--yes")),
)


def istiod_is_gone(sandbox: Sandbox) -> bool:
    return sandbox.api.get(f"{SYSTEM}/istiod") is None


@contextmanager
def webhooks_outlive_istiod(sandbox: Sandbox) -> Iterator[None]:
    """The worst instant of a replacement, made to last: istioctl takes istiod first, and its webhooks later."""
    paths = [f"{INJECTORS}/{name}" for name in ("istio-revision-tag-default", "istio-sidecar-injector")]
    for path in paths:
        sandbox.api.merge_patch(path, {"metadata": {"finalizers": ["example.com/hold"]}})
    try:
        yield
    finally:
        for path in paths:
            sandbox.api.merge_patch(path, {"metadata": {"finalizers": None}})


def webhooks_come(sandbox: Sandbox) -> Callable[[], bool]:
    """The next worst: istioctl brings the webhooks before all that istiod needs."""
    gone = False

    def now() -> bool:
        nonlocal gone
        there = sandbox.api.get(f"{INJECTORS}/istio-sidecar-injector") is not None
        gone = gone or not there
        return gone and there

    return now


def at_work_for(sandbox: Sandbox, seconds: float) -> Callable[[], bool]:
    """Holds so many seconds after the next run has begun to write: what it does before harms nobody."""
    known = last_run(sandbox)
    began = 0.0

    def now() -> bool:
        nonlocal began
        if not began:
            run = last_run(sandbox)
            began = time.monotonic() if run is not None and run != known else 0.0
        return bool(began) and time.monotonic() > began + seconds

    return now


def seconds_of(run: RunEntry | None) -> float:
    assert run is not None
    return (datetime.fromisoformat(run.ended) - datetime.fromisoformat(run.started)).total_seconds()


def killed_everywhere(sandbox: Sandbox, rounds: int) -> None:
    """Upgrade, rollback, replace and rollback, so many times; each run is killed at an instant of its own.

    Pods start right after each kill, and the next run finishes. The instants are random, each kind's spread over all
    of its run; two of the replacements are killed where a cluster is most likely left without its istiod.
    """
    sandbox.with_mesh(OLD[1])
    settle(sandbox, PLACES, each=1)
    before = kept(sandbox)
    longest: dict[str, float] = {}
    killed = 0
    *kinds, last = LEGS  # the last is a kind that was there before
    for leg in kinds:
        unbroken = sandbox.run(*leg.words)
        assert unbroken.returncode == 0, unbroken.stdout + unbroken.stderr
        longest[leg.kind] = seconds_of(last_run(sandbox))
    times = {kind: sum(leg.kind == kind for leg in LEGS) * rounds for kind in longest}
    done = dict.fromkeys(longest, 0)
    for leg in (last, *kinds) * rounds:
        share = (done[leg.kind] + random.random()) / times[leg.kind]  # noqa: S311 — no secret
        done[leg.kind] += 1
        turn = (leg.kind, done[leg.kind])
        begun = time.monotonic()
        if turn == ("replace", 1):
            with webhooks_outlive_istiod(sandbox):
                killed += killed_once(sandbox, partial(istiod_is_gone, sandbox), *leg.words)[0]
                pods_start(sandbox.api, PLACES[0])
        else:
            at_random = at_work_for(sandbox, share * longest[leg.kind])
            now = webhooks_come(sandbox) if turn == ("replace", 2) else at_random
            killed += killed_once(sandbox, now, *leg.words)[0]
            pods_start(sandbox.api, PLACES[0])
        no_istioctl_is_left(sandbox)
        if not leg.is_done(last_run(sandbox)):
            finished = sandbox.run(*leg.words)
            said = f"{leg.kind} killed after {time.monotonic() - begun:.2f} s\n{finished.stdout}{finished.stderr}"
            assert finished.returncode == 0, said
        as_unbroken(sandbox, leg.version, before)
    assert killed >= rounds * len(LEGS) * 3 // 4, "too many had ended before"


def test_killed_at_random_instants(sandbox: Sandbox) -> None:
    killed_everywhere(sandbox, 3)


@pytest.mark.bench
def test_killed_at_many_random_instants(sandbox: Sandbox) -> None:
    killed_everywhere(sandbox, 25)
