"""A list on its way, against an API server on loopback whose Deployments come up, or do not, as a test decides."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from observed import stale
from sohistio.adapters.kubernetes.hold import Hold
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.errors import FailedError
from sohistio.model.footprint import ISTIOD_REF
from sohistio.model.restart_window import Around, Why, nothing_held
from sohistio.model.state import ObjectRef, Workload
from sohistio.output.lines import LineObserver
from sohistio.run.flight import Begun, Ended
from sohistio.run.restart_gate import Gate
from sohistio.run.tools import RestartSettings
from sohistio.run.wait import Waiting
from sohistio.run.window import RollingWindow

SHOP = "/apis/apps/v1/namespaces/shop/deployments"
SYSTEM = "/apis/apps/v1/namespaces/istio-system/deployments"
NAMESPACES = "/api/v1/namespaces"
BUDGETS = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
NAMES = ("a", "b", "c", "d")


class Cluster(ApiServer):
    """Four Deployments; one that is patched is rolled out at once, unless it is `broken`, refused or about to go.

    Versions are those of all objects together; a watch answers with what is newer than asked for as soon as there is
    something, and ends.
    """

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.refused: set[str] = set()
        self.going: set[str] = set()
        self.gone: list[str] = []
        self.restarted: list[str] = []
        self.version = 10
        self._news = threading.Condition()
        self.items = {name: _deployment(name, 1, 10) for name in NAMES}
        self.budgets: list[dict[str, Any]] = []
        self.around: dict[str, Any] = {}
        self.istiods: list[dict[str, Any]] = []
        super().__init__()

    def over(self, name: str, *apps: str, allowed: int) -> None:
        selector = {"matchExpressions": [{"key": "app", "operator": "In", "values": list(apps)}]}
        meta = {"namespace": "shop", "name": name, "resourceVersion": "10"}
        self.budgets.append(
            {"metadata": meta, "spec": {"selector": selector}, "status": {"disruptionsAllowed": allowed}}
        )

    def reply_to(self, method: str, path: str) -> Reply:
        asked = self.asked[-1]
        if method == "PATCH":
            return self._patched(path.rpartition("/")[2])
        spaces = [{"metadata": {"name": "shop", "resourceVersion": "10"} | self.around}]
        known = {SHOP: list(self.items.values()), BUDGETS: self.budgets, NAMESPACES: spaces, SYSTEM: self.istiods}
        items = known.get(path)
        if items is None:
            return super().reply_to(method, path)
        if "watch" not in asked.query:
            return Reply({"metadata": {"resourceVersion": str(self.version)}, "items": items})
        since = int(asked.query["resourceVersion"])
        with self._news:
            self._news.wait_for(lambda: path == SHOP and self.version > since, 1.2)
            there = list(self.items.values()) if path == SHOP else []
            new = [("MODIFIED", item) for item in there if int(item["metadata"]["resourceVersion"]) > since]
            new += [("DELETED", _deployment(name, 1, self.version)) for name in self.gone if path == SHOP]
        return Reply(b"".join(json.dumps({"type": kind, "object": item}).encode() + b"\n" for kind, item in new))

    def _patched(self, name: str) -> Reply:
        if name in self.refused:
            return Reply({"message": "denied by policy"}, 403)
        with self._news:
            self.restarted.append(name)
            self.version += 1
            generation = self.items[name]["metadata"]["generation"] + 1
            written = self.items[name] = _deployment(name, generation, self.version, up=name not in self.broken)
            if name in self.going:
                del self.items[name]
                self.gone.append(name)
            self._news.notify_all()
        return Reply(written)


def _deployment(name: str, generation: int, version: int, *, up: bool = True) -> dict[str, Any]:
    meta = {"namespace": "shop", "name": name, "generation": generation, "resourceVersion": str(version)}
    spec = {"replicas": 3, "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": []}}}
    spec["strategy"] = {"rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    updated = 3 if up else 1
    status = {"observedGeneration": generation, "replicas": 3, "updatedReplicas": updated, "availableReplicas": 3}
    return {"metadata": meta, "spec": spec, "status": status}


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as running:
        yield running


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


Carries = Callable[..., Ended]


@pytest.fixture
def carries(cluster: Cluster, tmp_path: Path, said: io.StringIO) -> Carries:
    """Restarts the four of them, one after the other."""

    def restart(
        *,
        max_failures: int = 2,
        refused: str = "",
        held: Gate = nothing_held,
        total: float = 60,
        seconds: float = 3,
        istiods: tuple[ObjectRef, ...] = (),
    ) -> Ended:
        api = cluster.api(tmp_path)
        waiting = Waiting(api, LineObserver(said), Hold(threading.Event()), time.monotonic() + total)

        def begin(workload: Workload, _refused: bool) -> Begun:
            if workload.ref.name in refused:
                return Begun(left="its pods are refused")
            return Begun(int(api.merge_patch(path_of(workload.ref), {})["metadata"]["generation"]))

        settings = RestartSettings(1, max_failures, seconds)
        workloads = [stale(name, max_unavailable=1) for name in NAMES]
        return RollingWindow(waiting, settings, begin, held, lambda _up, _queued: None).restart(workloads, istiods)

    return restart


def failed(ended: Ended) -> list[str]:
    return [stuck.ref.name for stuck in ended.failed]


def rest(ended: Ended) -> dict[str, Why]:
    return {wait.candidate.ref.name: wait.why for wait in ended.rest}


def test_all_of_them_in_order_and_only_once(cluster: Cluster, carries: Carries, said: io.StringIO) -> None:
    ended = carries(seconds=60)
    assert (ended.done, failed(ended), rest(ended)) == (4, [], {})
    assert cluster.restarted == list(NAMES)
    assert said.getvalue().count("shop/d 3/3 ready") == 1
    assert sum(asked.method == "PATCH" for asked in cluster.asked) == 4


def test_those_under_the_budget_of_one_that_does_not_come_up_are_left(cluster: Cluster, carries: Carries) -> None:
    cluster.broken = {"a"}
    cluster.over("pair", "a", "c", allowed=1)
    ended = carries()
    assert (cluster.restarted, failed(ended), rest(ended)) == (["a", "b", "d"], ["a"], {"c": Why.STUCK})


def test_a_failure_too_many_ends_it(cluster: Cluster, carries: Carries) -> None:
    cluster.broken = {"b"}
    ended = carries(max_failures=1)
    assert (ended.done, failed(ended), rest(ended)) == (1, ["b"], {"c": Why.FAILURES, "d": Why.FAILURES})


def test_one_whose_budget_never_has_room_has_failed_and_holds_up_no_other(cluster: Cluster, carries: Carries) -> None:
    cluster.over("tight", "a", allowed=0)
    ended = carries()
    assert (cluster.restarted, failed(ended), rest(ended)) == (["b", "c", "d"], ["a"], {})
    (stuck,) = ended.failed
    assert "not restarted: PodDisruptionBudget shop/tight lets 0 pods be away" in stuck.progress.message


def test_what_fails_at_the_same_moment_counts_before_another_starts(cluster: Cluster, carries: Carries) -> None:
    cluster.over("tight", "a", allowed=0)
    cluster.broken = {"b"}
    ended = carries()
    assert (cluster.restarted, sorted(failed(ended))) == (["b"], ["a", "b"])
    assert rest(ended) == {"c": Why.FAILURES, "d": Why.FAILURES}


def test_what_is_held_is_no_failure(cluster: Cluster, carries: Carries) -> None:
    ended = carries(held=lambda ref, _own, _around: "closed until 02:00" if ref.name in "ac" else "", seconds=60)
    assert (cluster.restarted, failed(ended), rest(ended)) == (["b", "d"], [], {"a": Why.HELD, "c": Why.HELD})


def test_what_is_refused_at_its_turn_is_no_failure(cluster: Cluster, carries: Carries) -> None:
    ended = carries(refused="bd", max_failures=1, seconds=60)
    assert (ended.done, failed(ended), rest(ended)) == (2, [], {"b": Why.LEFT, "d": Why.LEFT})
    assert cluster.restarted == ["a", "c"]


def test_what_somebody_paused_or_deleted_meanwhile_is_left(cluster: Cluster, carries: Carries) -> None:
    cluster.items["b"]["spec"]["paused"] = True
    del cluster.items["c"]
    ended = carries(seconds=60)
    assert [(wait.candidate.ref.name, wait.said) for wait in ended.rest] == [
        ("b", "paused: its rollout is somebody's decision"),
        ("c", "it is gone"),
    ]
    assert cluster.restarted == ["a", "d"]


def test_one_that_goes_while_it_is_restarted_is_not_waited_for(
    cluster: Cluster, carries: Carries, said: io.StringIO
) -> None:
    cluster.going = {"b"}
    ended = carries(seconds=60)
    assert (ended.done, failed(ended)) == (3, [])
    assert "Deployment shop/b is gone: it is not waited for any more" in said.getvalue()


def test_the_runs_total_timeout_says_what_hangs(cluster: Cluster, carries: Carries) -> None:
    cluster.broken = {"b"}
    with pytest.raises(FailedError, match="total timeout") as caught:
        carries(seconds=60, total=5)
    assert "Deployment shop/b: 1 of 3 new pods created" in caught.value.details


def test_each_turn_goes_by_what_is_said_then(cluster: Cluster, carries: Carries) -> None:
    """Of the workload and of its namespace, as the watches have it."""
    cluster.items["b"]["metadata"]["annotations"] = {"sohistio.io/restart": "never", "other": "x"}
    cluster.around = {"annotations": {"sohistio.io/restart-reason": "r"}, "labels": {"istio-injection": "enabled"}}
    heard: dict[str, tuple[dict[str, str], Around | None]] = {}

    def held(ref: ObjectRef, own: Mapping[str, str], around: Around | None) -> str:
        heard[ref.name] = (dict(own), around)
        return "never" if own else ""

    ended = carries(held=held, seconds=60)
    assert rest(ended) == {"b": Why.HELD}
    assert cluster.restarted == ["a", "c", "d"]
    assert heard["b"] == (
        {"sohistio.io/restart": "never"},
        Around({"sohistio.io/restart-reason": "r"}, "enabled", None),
    )


def test_without_an_istiod_nothing_is_taken_down(cluster: Cluster, carries: Carries, said: io.StringIO) -> None:
    istiod = _deployment("istiod", 1, 10)
    istiod["metadata"]["namespace"] = "istio-system"
    istiod["status"] = {"observedGeneration": 1, "replicas": 0}
    cluster.istiods = [istiod]
    with pytest.raises(FailedError, match="no istiod has been ready for 1 s; 4 workloads were not restarted"):
        carries(seconds=1, istiods=(ISTIOD_REF,))
    assert cluster.restarted == []
    assert said.getvalue().count("no istiod is ready: no other restart begins until one is") == 1
