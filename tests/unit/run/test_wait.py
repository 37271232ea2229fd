"""Waits: which timeout ended one and why, patience with a server in trouble, and none without the lock."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.hold import STOP_SECONDS, Hold
from sohistio.errors import FailedError, InterruptedRunError
from sohistio.model.state import ObjectRef
from sohistio.output.lines import LineObserver
from sohistio.run.wait import Patience, Waiting

WEB = ObjectRef("Deployment", "shop", "web")
PATH = "/apis/apps/v1/namespaces/shop/deployments/web"
PODS = "/api/v1/namespaces/shop/pods"
UNFINISHED = {
    "kind": "Deployment",
    "metadata": {"generation": 1},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}},
    "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1},
}


def waiting(server: ApiServer, folder: Path, total: float) -> Waiting:
    server.answers("GET", PATH, Reply(UNFINISHED))
    server.answers("GET", PODS, Reply({"items": []}))
    return Waiting(server.api(folder), LineObserver(io.StringIO()), Hold(threading.Event()), time.monotonic() + total)


def test_the_rollouts_own_timeout(tmp_path: Path) -> None:
    with ApiServer() as server:
        (stuck,) = waiting(server, tmp_path, 60).rollouts([(WEB, 0)], 0.2)
    assert stuck.ref == WEB


@pytest.mark.parametrize("total", [0.1, 0.9], ids=["over-already", "over-after-a-look"])
def test_the_runs_total_timeout_before_it(tmp_path: Path, total: float) -> None:
    with ApiServer() as server, pytest.raises(FailedError) as caught:
        waiting(server, tmp_path, total).rollouts([(WEB, 0)], 60)
    assert "total timeout" in caught.value.what
    assert str(WEB) in caught.value.details[0], "it says what it was waiting for"
    assert "--timeout" in caught.value.todo


FINISHED = UNFINISHED | {
    "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
}
AWAY = Reply({"message": "made up"}, 503, {"Retry-After": "0"})


class Clock:
    """One that a test sets."""

    seconds = 1000.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


def runs(
    server: ApiServer, folder: Path, said: io.StringIO, *, total: float = 60.0, hold: Hold | None = None
) -> Waiting:
    server.answers("GET", PODS, Reply({"items": []}))
    hold = hold or Hold(threading.Event())
    return Waiting(server.api(folder), LineObserver(said), hold, time.monotonic() + total)


@pytest.mark.parametrize(
    ("trouble", "times"), [(AWAY, 24), (Reply({}, 429, {"Retry-After": "0"}), 24), (Reply(reset=True), 12)]
)
def test_a_server_in_trouble_is_waited_for(
    server: ApiServer, tmp_path: Path, said: io.StringIO, trouble: Reply, times: int
) -> None:
    """Longer than a request is tried again by itself; and said once, though asked many times."""
    server.answers("GET", PATH, *[trouble] * times, Reply(FINISHED))
    waiting = runs(server, tmp_path, said)
    with waiting.outage:
        assert waiting.rollouts([(WEB, 0)], 30) == []
    assert said.getvalue().count("the API server does not answer: waiting for it") == 1
    assert said.getvalue().count("the API server answers again, after ") == 1


def test_a_short_trouble_is_not_worth_a_word(server: ApiServer, tmp_path: Path, said: io.StringIO) -> None:
    server.answers("GET", PATH, AWAY, Reply(FINISHED))
    waiting = runs(server, tmp_path, said)
    with waiting.outage:
        assert waiting.rollouts([(WEB, 0)], 30) == []
    assert "API server" not in said.getvalue()


@pytest.mark.parametrize("status", [401, 403])
def test_what_does_not_pass_ends_at_once(server: ApiServer, tmp_path: Path, said: io.StringIO, status: int) -> None:
    server.answers("GET", PATH, Reply({"message": "no"}, status))
    waiting = runs(server, tmp_path, said)
    with waiting.outage, pytest.raises(KubeError) as caught:
        waiting.rollouts([(WEB, 0)], 30)
    assert caught.value.status == status
    assert len(server.asked) == 1


def test_the_waits_own_limit_bounds_the_patience(server: ApiServer, tmp_path: Path, said: io.StringIO) -> None:
    server.answers("GET", PATH, AWAY)
    waiting = runs(server, tmp_path, said)
    with waiting.outage, pytest.raises(KubeError, match="answered 503"):
        waiting.rollouts([(WEB, 0)], 0.5)


def test_the_total_says_that_nobody_answered(server: ApiServer, tmp_path: Path, said: io.StringIO) -> None:
    server.answers("GET", PATH, AWAY)
    waiting = runs(server, tmp_path, said, total=2.5)
    with waiting.outage, pytest.raises(FailedError, match="total timeout") as caught:
        waiting.until(60, lambda: waiting.api.get(PATH) is None, Patience("it is still there"))
    assert caught.value.details[0] == "it was waiting: it is still there"
    assert caught.value.details[1].startswith("the API server had not answered for ")


@pytest.mark.parametrize(("total", "before"), [(60.0, ""), (0.3, "  ")], ids=["its-own-limit", "total"])
def test_a_wait_that_ends_says_why_and_what_to_do(
    server: ApiServer, tmp_path: Path, said: io.StringIO, total: float, before: str
) -> None:
    waiting = runs(server, tmp_path, said, total=total)
    with pytest.raises(FailedError) as caught:
        waiting.until(0.5, lambda: False, Patience("it is still there", lambda _api: ("held by x",)))
    assert caught.value.details[-1] == f"{before}held by x"
    assert caught.value.todo


def test_a_write_that_is_refused_is_not_asked_again(server: ApiServer, tmp_path: Path, said: io.StringIO) -> None:
    server.answers("PUT", PATH, AWAY)
    with pytest.raises(KubeError, match="answered 503"):
        runs(server, tmp_path, said).api.replace(PATH, {})
    assert len(server.asked) == 1


def test_a_webhook_that_fails_in_a_dry_run_is_not_waited_for(
    server: ApiServer, tmp_path: Path, said: io.StringIO
) -> None:
    """The API server is well, and its trouble with somebody's webhook may last."""
    server.answers("POST", PODS, Reply({"message": 'failed calling webhook "x"'}, 500, {"Retry-After": "0"}))
    waiting = runs(server, tmp_path, said)
    with waiting.outage, pytest.raises(KubeError, match="answered 500"):
        waiting.api.request("POST", PODS, query={"dryRun": "All"}, body={})
    assert len(server.asked) == 1


def test_nothing_is_written_until_the_lock_is_confirmed(server: ApiServer, tmp_path: Path, said: io.StringIO) -> None:
    server.answers("PATCH", PATH, Reply({}))
    clock = Clock()
    hold = Hold(threading.Event(), clock.now)
    waiting = runs(server, tmp_path, said, hold=hold)
    clock.seconds += STOP_SECONDS
    begun = waiting.now()
    writer = threading.Thread(target=waiting.api.merge_patch, args=(PATH, {"spec": {}}))
    writer.start()
    writer.join(0.5)
    assert writer.is_alive()
    assert server.asked == []
    clock.seconds += 1000
    assert waiting.now() - begun < 5, "its limit does not run out meanwhile"
    hold.confirm(clock.seconds)
    writer.join(5)
    assert [asked.method for asked in server.asked] == ["PATCH"]
    assert said.getvalue().count("the lock could not be renewed for 20 s: nothing is written until it is") == 1
    assert "and an istioctl that is at work is ended" in said.getvalue()
    assert said.getvalue().count("the lock is still this run's: going on") == 1


@pytest.mark.parametrize("lost", [True, False], ids=["lost", "total"])
def test_a_lock_that_is_not_confirmed_again_ends_the_run(
    server: ApiServer, tmp_path: Path, said: io.StringIO, lost: bool
) -> None:
    clock = Clock()
    hold = Hold(threading.Event(), clock.now)
    waiting = runs(server, tmp_path, said, hold=hold, total=1.0)
    clock.seconds += STOP_SECONDS
    if lost:
        threading.Timer(0.2, hold.lose).start()
    with pytest.raises(InterruptedRunError if lost else FailedError) as caught:
        waiting.api.merge_patch(PATH, {})
    assert server.asked == []
    if not lost:
        assert "its lock could not be confirmed within 20 s" in caught.value.details[-1]
