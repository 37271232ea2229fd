"""When a run may write: by its own clock, from the last renewal that was confirmed; whatever hangs meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.hold import (
    ENDED_SECONDS,
    LEASE_SECONDS,
    RENEW_SECONDS,
    STOP_SECONDS,
    TOOL_GRACE_SECONDS,
    Hold,
    NotConfirmedError,
)
from sohistio.adapters.kubernetes.lease import Lock
from sohistio.adapters.kubernetes.requests import Request

LEASE = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/sohistio"


@dataclass
class Clock:
    seconds: float = 1000.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hold(clock: Clock) -> Hold:
    return Hold(threading.Event(), clock.now)


def test_everything_has_ended_before_another_run_may_begin() -> None:
    """A tool that is asked to end in the watchdog's last tick, too, and has some time to be reaped."""
    assert STOP_SECONDS + TOOL_GRACE_SECONDS + 1 < ENDED_SECONDS < LEASE_SECONDS
    assert RENEW_SECONDS * 3 < STOP_SECONDS, "a renewal may fail once, and again"


def test_it_writes_for_so_long_and_no_longer(hold: Hold, clock: Clock) -> None:
    clock.seconds += STOP_SECONDS - 0.1
    assert hold.write_seconds() == pytest.approx(ENDED_SECONDS - STOP_SECONDS + 0.1)
    clock.seconds += 0.1
    assert not hold.is_confirmed
    with pytest.raises(NotConfirmedError):
        hold.write_seconds()
    hold.confirm(clock.seconds)
    assert hold.write_seconds() == ENDED_SECONDS
    assert not hold.stop.is_set(), "it goes on"


def test_a_renewal_counts_from_before_it_was_sent(hold: Hold, clock: Clock) -> None:
    sent = clock.seconds
    clock.seconds += STOP_SECONDS + 5
    hold.confirm(sent)
    assert not hold.is_confirmed, "its answer came too late to be of use"


def test_waits_do_not_count_what_it_could_not_write_for(hold: Hold, clock: Clock) -> None:
    clock.seconds += STOP_SECONDS + 7
    assert hold.stopped_seconds() == pytest.approx(7)
    hold.confirm(clock.seconds - STOP_SECONDS - 1)  # one whose answer came too late: not confirmed yet
    clock.seconds += 2
    assert hold.stopped_seconds() == pytest.approx(9)
    hold.confirm(clock.seconds)
    clock.seconds += STOP_SECONDS - 1
    assert hold.stopped_seconds() == pytest.approx(9)


def test_once_lost_it_stays_so(hold: Hold, clock: Clock) -> None:
    hold.lose()
    assert hold.stop.is_set()
    hold.confirm(clock.seconds)
    assert not hold.is_confirmed


def test_a_purge_keeps_it_for_good(hold: Hold, clock: Clock) -> None:
    hold.keep()
    clock.seconds += 10 * LEASE_SECONDS
    assert hold.is_confirmed
    assert hold.stopped_seconds() == 0


@pytest.mark.parametrize(
    ("method", "path", "query", "writes"),
    [
        pytest.param("GET", "/api/v1/pods", {}, False, id="get"),
        pytest.param("PATCH", "/api/v1/nodes/x", {"dryRun": "All"}, False, id="dry-run"),
        pytest.param(
            "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {}, False, id="question-of-rights"
        ),
        pytest.param("PATCH", "/api/v1/nodes/x", {}, True, id="patch"),
        pytest.param("POST", "/api/v1/namespaces", {}, True, id="create"),
        pytest.param("PUT", "/api/v1/nodes/x", {}, True, id="replace"),
        pytest.param("DELETE", "/api/v1/nodes/x", {}, True, id="delete"),
    ],
)
def test_only_writes_are_refused(
    hold: Hold, clock: Clock, method: str, path: str, query: dict[str, str], writes: bool
) -> None:
    clock.seconds += STOP_SECONDS
    request = Request(method, path, query, None)
    if writes:
        with pytest.raises(NotConfirmedError):
            hold.seconds_for(request)
    else:
        assert hold.seconds_for(request) > 0


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        running.answers("GET", "/api/v1/namespaces/istio-system", Reply({"metadata": {"name": "istio-system"}}))
        yield running


class HungLogin:
    """Gives a token at once, until it is told not to; then whoever asks waits."""

    def __init__(self) -> None:
        self.hangs = False
        self.released = threading.Event()

    def token(self) -> str:
        if self.hangs:
            self.released.wait(60)
        return "t0ken"

    def renew(self, rejected: str) -> None:
        raise AssertionError(rejected)


def test_the_watchdog_waits_for_nobody(server: ApiServer, tmp_path: Path, clock: Clock) -> None:
    """Who gives tokens hangs, and so does the renewal: the tool is asked to end all the same, with its grace."""
    server.answers("POST", LEASE.rpartition("/")[0], Reply({}, 201))
    hold = Hold(threading.Event(), clock.now)
    login = HungLogin()
    asked = threading.Event()
    grace: list[float] = []

    def end(seconds: float) -> None:
        grace.append(seconds)
        asked.set()

    with Lock(server.api(tmp_path, login), lambda _: None, threading.Event()).held("a run", hold):
        hold.confirm(clock.seconds)
        login.hangs = True
        with hold.ending(end) as ended:
            clock.seconds += STOP_SECONDS - 0.1
            assert not asked.wait(0.5)
            assert not ended.is_set()
            clock.seconds += 0.1
            assert asked.wait(2)
            assert ended.is_set()
        with hold.ending(end) as ended:
            assert ended.is_set(), "one that is started just then, too"
        login.released.set()
    assert grace == [TOOL_GRACE_SECONDS] * 2
