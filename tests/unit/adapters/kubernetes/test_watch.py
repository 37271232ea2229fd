"""A list kept up to date by a watch: what it reports, from where it goes on, when it lists again, when it gives up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.errors import KubeError
from sohistio.adapters.kubernetes.rollouts import Rollouts
from sohistio.adapters.kubernetes.watch import Watch
from sohistio.model.restart_window import Around
from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef

DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
BUDGETS = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
NAMESPACES = "/api/v1/namespaces"
LONG_ENOUGH = 20
FORBIDDEN = Reply({"message": "no"}, 403)


class WatchedServer(ApiServer):
    """Answers a watch with what it has for the method WATCH."""

    held: threading.Event | None = None
    """Until this is set, watches of namespaces after the first one are not answered."""

    def reply_to(self, method: str, path: str) -> Reply:
        watches = sum(asked.path == NAMESPACES and "watch" in asked.query for asked in self.asked)
        if self.held is not None and path == NAMESPACES and watches > 1:
            self.held.wait(LONG_ENOUGH)
        return super().reply_to("WATCH" if self.asked[-1].query.get("watch") else method, path)

    def watched_from(self) -> list[str]:
        """The versions from which watches were asked for, one after the other."""
        return [asked.query["resourceVersion"] for asked in self.asked if "watch" in asked.query]

    def lists(self) -> int:
        return sum("limit" in asked.query for asked in self.asked)


@pytest.fixture
def server() -> Iterator[WatchedServer]:
    with WatchedServer() as running:
        running.answers("GET", NAMESPACES, Reply({"metadata": {"resourceVersion": "1"}, "items": [namespace("shop")]}))
        running.answers("WATCH", NAMESPACES, events())
        yield running


def item(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop", "name": name, "resourceVersion": str(version)}}


def namespace(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": "1", **metadata}}


def listed(version: int, *names: str) -> Reply:
    return Reply({"metadata": {"resourceVersion": str(version)}, "items": [item(name, version) for name in names]})


def events(*found: tuple[str, dict[str, Any]]) -> Reply:
    return Reply(b"".join(json.dumps({"type": kind, "object": what}).encode() + b"\n" for kind, what in found))


BOOKMARK = {"metadata": {"resourceVersion": "9"}}
TOO_OLD = ("ERROR", {"kind": "Status", "code": 410})


class Heard:
    """A watch, and what it reported."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.said: list[str] = []
        self._news = threading.Condition()
        self.watch = Watch(
            server.api(folder),
            DEPLOYMENTS,
            lambda items: self._hear("all " + " ".join(one["metadata"]["name"] for one in items)),
            lambda one: self._hear(f"changed {one['metadata']['name']}"),
            lambda one: self._hear(f"gone {one['metadata']['name']}"),
        )

    def __enter__(self) -> Heard:
        self.watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.watch.stop()
        self.watch.join(LONG_ENOUGH)

    def _hear(self, what: str) -> None:
        with self._news:
            self.said.append(what)
            self._news.notify_all()

    def until(self, holds: Callable[[], bool]) -> None:
        with self._news:
            for _ in range(LONG_ENOUGH * 20):
                if holds():
                    return
                self._news.wait(0.05)
        raise AssertionError(self.said)


def test_what_happens_is_reported_and_bookmarks_move_the_version(server: WatchedServer, tmp_path: Path) -> None:
    server.answers("GET", DEPLOYMENTS, listed(5, "a", "b"))
    server.answers(
        "WATCH",
        DEPLOYMENTS,
        events(("MODIFIED", item("a", 6)), ("ADDED", item("c", 7)), ("DELETED", item("b", 8)), ("BOOKMARK", BOOKMARK)),
        events(("MODIFIED", item("c", 12))),
        events(),
    )
    with Heard(server, tmp_path) as heard:
        heard.until(lambda: len(server.watched_from()) >= 3)
    assert heard.said == ["all a b", "changed a", "changed c", "gone b", "changed c"]
    assert server.watched_from()[:3] == ["5", "9", "12"]
    assert server.lists() == 1
    assert server.asked[1].query["allowWatchBookmarks"] == "true"


@pytest.mark.parametrize(
    "too_old", [pytest.param(events(TOO_OLD), id="in-the-watch"), pytest.param(Reply({}, 410), id="at-once")]
)
def test_a_version_that_is_too_old_begins_with_a_list_again(
    server: WatchedServer, tmp_path: Path, too_old: Reply
) -> None:
    server.answers("GET", DEPLOYMENTS, listed(5, "a"), listed(50, "a", "b"))
    server.answers("WATCH", DEPLOYMENTS, too_old, events(("MODIFIED", item("b", 51))), events())
    with Heard(server, tmp_path) as heard:
        heard.until(lambda: "changed b" in heard.said)
    assert heard.said == ["all a", "all a b", "changed b"]
    assert server.watched_from()[:2] == ["5", "50"]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(Reply(reset=True), id="reset"),
        pytest.param(Reply(events(("MODIFIED", item("a", 6))).body + b'{"type": "MODI'), id="in-the-middle-of-a-line"),
        pytest.param(Reply(b"<html>login</html>\n"), id="no-document"),
        pytest.param(Reply(b"[]\n"), id="another-document"),
    ],
)
def test_a_watch_that_breaks_is_taken_up_where_it_was(server: WatchedServer, tmp_path: Path, broken: Reply) -> None:
    server.answers("GET", DEPLOYMENTS, listed(5, "a"))
    server.answers("WATCH", DEPLOYMENTS, broken, events(("MODIFIED", item("last", 7))), events())
    with Heard(server, tmp_path) as heard:
        heard.until(lambda: "changed last" in heard.said)
    assert server.watched_from()[-1] == "7"
    assert heard.watch.error is None


def test_where_no_watch_is_allowed_lists_are_read_again(server: WatchedServer, tmp_path: Path) -> None:
    server.answers("GET", DEPLOYMENTS, listed(5, "a"), listed(6, "a", "b"))
    server.answers("WATCH", DEPLOYMENTS, FORBIDDEN)
    with Heard(server, tmp_path) as heard:
        heard.until(lambda: "all a b" in heard.said)
    assert "forbids" in heard.watch.polls
    assert len(server.watched_from()) == 1


def test_a_list_that_is_not_allowed_ends_it(server: WatchedServer, tmp_path: Path) -> None:
    server.answers("GET", DEPLOYMENTS, FORBIDDEN)
    with Heard(server, tmp_path) as heard:
        heard.until(lambda: heard.watch.error is not None)
    assert isinstance(heard.watch.error, KubeError)
    assert heard.watch.error.status == 403


# --- what restarts see through watches


def deployment(name: str, generation: int, updated: int, **changes: Any) -> dict[str, Any]:
    meta = {"namespace": "shop", "name": name, "generation": generation, "resourceVersion": str(10 + generation)}
    spec = {
        "replicas": 4,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2, "maxSurge": 0}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": []}},
    }
    status = {"observedGeneration": generation, "replicas": 4, "updatedReplicas": updated, "availableReplicas": 4}
    return {"metadata": meta, "spec": spec | changes, "status": status}


def budget(name: str, app: str, allowed: int, *, seen: int = 1) -> dict[str, Any]:
    meta = {"namespace": "shop", "name": name, "generation": 1, "resourceVersion": "11"}
    status = {"observedGeneration": seen, "disruptionsAllowed": allowed}
    return {"metadata": meta, "spec": {"selector": {"matchLabels": {"app": app}}}, "status": status}


def answer(*items: dict[str, Any]) -> Reply:
    return Reply({"metadata": {"resourceVersion": "10"}, "items": list(items)})


WEB, API = (ObjectRef("Deployment", "shop", name) for name in ("web", "api"))
OVER_WEB, UNSEEN = (ObjectRef("PodDisruptionBudget", "shop", name) for name in ("over-web", "unseen"))


def until(holds: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(LONG_ENOUGH * 20):
        if holds():
            return
        pause.wait(0.05)
    raise AssertionError("it never came")


def test_one_namespace_is_watched_by_itself(server: WatchedServer, tmp_path: Path) -> None:
    server.answers("GET", DEPLOYMENTS, answer(deployment("web", 1, 4), deployment("other", 1, 4)))
    server.answers("GET", BUDGETS, answer(budget("over-web", "web", 1), budget("unseen", "web", 3, seen=0)))
    rolled = deployment("web", 2, 4, paused=True)
    server.answers("WATCH", DEPLOYMENTS, events(("MODIFIED", deployment("web", 2, 1)), ("MODIFIED", rolled)), events())
    server.answers("WATCH", BUDGETS, events(("MODIFIED", budget("over-web", "web", 0))), events())
    with Rollouts(server.api(tmp_path), [WEB], []) as now:
        until(lambda: now.ready)
        until(lambda: now.rooms()[OVER_WEB] == 0)
        until(lambda: (seen := now.rollout(WEB)) is not None and seen.generation == 2 and seen.paused)
        seen = now.rollout(WEB)
        assert seen is not None
        assert (seen.progress, seen.pods, seen.takes_down) == (Progress(4, 4, True, "4 of 4 pods ready"), 4, 2)
        assert now.rooms()[UNSEEN] == 0, "its controller has not seen its newest spec"
        assert now.budgets_over(WEB, ()) == {OVER_WEB, UNSEEN}
        assert now.rollout(ObjectRef("Deployment", "shop", "other")) is None, "nobody asked for it"
        assert now.polled == ()
    assert {asked.path for asked in server.asked} == {DEPLOYMENTS, BUDGETS, NAMESPACES}


def test_several_namespaces_take_one_list_of_all(server: WatchedServer, tmp_path: Path) -> None:
    everywhere = [path.replace("/namespaces/shop", "") for path in (DEPLOYMENTS, BUDGETS)]
    istiod = ObjectRef("Deployment", "istio-system", "istiod")
    running = deployment("istiod", 1, 4)
    running["metadata"]["namespace"] = "istio-system"
    server.answers("GET", everywhere[0], answer(deployment("web", 1, 4), running))
    server.answers("GET", everywhere[1], answer())
    for path in everywhere:
        server.answers("WATCH", path, events())
    with Rollouts(server.api(tmp_path), [WEB, ObjectRef("Deployment", "bank", "vault")], [istiod]) as now:
        until(lambda: now.ready)
        assert now.ready_istiods() == 4
    assert {asked.path for asked in server.asked} == {*everywhere, NAMESPACES}


def test_what_a_namespace_says_is_followed_until_it_is_gone(server: WatchedServer, tmp_path: Path) -> None:
    server.answers("GET", DEPLOYMENTS, answer(deployment("web", 1, 4)))
    server.answers("GET", BUDGETS, answer())
    for path in (DEPLOYMENTS, BUDGETS):
        server.answers("WATCH", path, events())
    never = {"sohistio.io/restart": "never"}
    labelled = namespace("shop", labels={"istio-injection": "disabled", "istio.io/rev": "x"}, annotations=never)
    go_on = threading.Event()
    server.held = go_on
    server.answers("WATCH", NAMESPACES, events(("MODIFIED", labelled)), events(("DELETED", labelled)), events())
    with Rollouts(server.api(tmp_path), [WEB], []) as now:
        until(lambda: now.ready)
        until(lambda: now.around("shop") == Around(never, "disabled", "x"))
        go_on.set()
        until(lambda: now.around("shop") is None)


def test_what_is_deleted_is_gone_whether_watched_or_listed(server: WatchedServer, tmp_path: Path) -> None:
    both = answer(deployment("web", 1, 4), deployment("api", 1, 4))
    server.answers("GET", DEPLOYMENTS, both, answer())
    server.answers("GET", BUDGETS, answer())
    server.answers("WATCH", BUDGETS, events())
    server.answers("WATCH", DEPLOYMENTS, events(("DELETED", deployment("web", 1, 4)), TOO_OLD), events())
    with Rollouts(server.api(tmp_path), [WEB, API], []) as now:
        until(lambda: now.ready)
        until(lambda: now.rollout(WEB) is None and now.rollout(API) is None)


def test_a_list_that_is_not_allowed_is_raised(server: WatchedServer, tmp_path: Path) -> None:
    server.answers("GET", DEPLOYMENTS, FORBIDDEN)
    server.answers("GET", BUDGETS, answer())
    server.answers("WATCH", BUDGETS, events())
    with Rollouts(server.api(tmp_path), [WEB], []) as now, pytest.raises(KubeError, match="forbids"):
        until(lambda: now.ready)
