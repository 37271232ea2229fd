"""The lock of a run that died elsewhere: waited for once by a command, and taken only after the whole time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.adapters.kubernetes.hold import LEASE_SECONDS, Hold
from sohistio.adapters.kubernetes.holder import Watched
from sohistio.adapters.kubernetes.lease import Lock
from sohistio.errors import RefusedError

LEASES = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases"
LEASE = f"{LEASES}/sohistio"


def held(second: int = 0) -> Reply:
    """A Lease that a run on another machine renewed in this second."""
    spec = {"holderIdentity": "ada@elsewhere run 1", "renewTime": f"2026-11-26T10:00:{second:02}.000000Z"}
    return Reply({"metadata": {"name": "sohistio", "resourceVersion": "7"}, "spec": spec})


@dataclass
class Command:
    """One command's locks: each look at the clock takes it 7 s further while it `runs`."""

    api: KubeApi
    seconds: float = 1000.0
    runs: bool = True
    said: list[str] = field(default_factory=list)
    watched: Watched = field(default_factory=Watched)

    def now(self) -> float:
        self.seconds += 7.0 if self.runs else 0.0
        return self.seconds

    def lock(self) -> Lock:
        return Lock(self.api, self.said.append, threading.Event(), self.watched, self.now)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        running.answers("GET", "/api/v1/namespaces/istio-system", Reply({"metadata": {"name": "istio-system"}}))
        running.answers("PUT", LEASE, Reply({}))
        yield running


@pytest.fixture
def command(server: ApiServer, tmp_path: Path) -> Command:
    return Command(server.api(tmp_path))


def reads(server: ApiServer) -> int:
    return sum(asked[:2] == ("GET", LEASE) for asked in server.asked)


def test_a_dead_run_is_waited_for_once(server: ApiServer, command: Command) -> None:
    server.answers("GET", LEASE, held())
    begun = command.seconds
    command.lock().await_free()
    assert command.seconds - begun > LEASE_SECONDS
    assert [line.partition(":")[0] for line in command.said] == [
        "the lock is held by ada@elsewhere run 1, since 2026-11-26 10",
        "it no longer renews its lock and is probably dead",
        "the lock has expired",
    ]
    command.runs = False
    before, told = reads(server), list(command.said)
    with command.lock().held("me", Hold(threading.Event())):
        assert reads(server) == before + 1
    (taken,) = [asked.body for asked in server.asked if asked.method == "PUT"]
    assert taken["spec"]["holderIdentity"] == "me"
    assert taken["metadata"]["resourceVersion"] == "7", "who renewed it since has another one: the server refuses"
    assert command.said == told, "nothing is said twice"


def test_one_that_was_renewed_since_is_watched_for_the_whole_time_again(server: ApiServer, command: Command) -> None:
    server.answers("GET", LEASE, held())
    command.lock().await_free()
    server.answers("GET", LEASE, held(5))
    begun, told = command.seconds, len(command.said)
    command.lock().await_free()
    assert command.seconds - begun > LEASE_SECONDS
    assert len(command.said) == told + 3, "it is another sign of life"


def test_one_that_is_renewed_while_it_is_watched_lives(server: ApiServer, command: Command) -> None:
    server.answers("GET", LEASE, held())
    command.lock().await_free()
    server.answers("GET", LEASE, held(5), held(5), held(10))
    with pytest.raises(RefusedError, match="another run is active"):
        command.lock().await_free()


@pytest.mark.parametrize("seconds", [LEASE_SECONDS - 1, LEASE_SECONDS])
def test_it_counts_from_when_it_was_first_seen_so(seconds: float) -> None:
    watched, spec = Watched(), {"renewTime": "then"}
    assert watched.unchanged_for(spec, 100.0) == 0
    assert watched.unchanged_for(dict(spec), 100.0 + seconds) == seconds
    other: dict[str, Any] = {"renewTime": "later"}
    assert watched.unchanged_for(other, 500.0) == 0
    assert watched.unchanged_for(spec, 501.0) == 0, "what was there before is no sign that nobody wrote since"
