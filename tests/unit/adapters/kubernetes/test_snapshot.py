"""A cluster as one plan reads it: each list once, a part of it from what was read, and never a write."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.adapters.kubernetes.snapshot import Snapshot

DEPLOYMENTS, PODS = "/apis/apps/v1/deployments", "/api/v1/pods"
MAPS = "/api/v1/namespaces/istio-system/configmaps"
COMPONENT, KEPT = "operator.istio.io/component", "sohistio/kept-gateway"


def item(name: str, **labels: str) -> dict[str, Any]:
    known = {"component": COMPONENT, "kept": KEPT}
    return {"metadata": {"name": name, "labels": {known.get(key, key): value for key, value in labels.items()}}}


def names(items: list[dict[str, Any]]) -> list[str]:
    return [found["metadata"]["name"] for found in items]


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        items = [item("istiod", component="Pilot"), item("edge", kept="IngressGateways"), item("web", app="web")]
        running.answers("GET", DEPLOYMENTS, Reply({"items": items}))
        running.answers("GET", MAPS, Reply({"items": [item("istio", rev="default"), item("sohistio-record")]}))
        running.answers("GET", PODS, Reply({"items": [item("web-1", app="web")]}))
        yield running


@pytest.fixture
def snapshot(server: ApiServer, tmp_path: Path) -> Snapshot:
    return Snapshot(server.api(tmp_path))


def test_the_meshs_part_of_a_list_that_was_read_is_not_asked_for(server: ApiServer, snapshot: Snapshot) -> None:
    assert names(snapshot.items(DEPLOYMENTS)) == ["istiod", "edge", "web"]
    assert names(snapshot.items(DEPLOYMENTS, labels=COMPONENT)) == ["istiod"]
    assert names(snapshot.items(DEPLOYMENTS, labels=f"{KEPT},!{COMPONENT}")) == ["edge"]
    assert len(server.asked) == 1


@pytest.mark.parametrize("labels", ["", "app=web", f"!{COMPONENT}"])
def test_what_was_not_kept_is_asked_for(server: ApiServer, snapshot: Snapshot, labels: str) -> None:
    """Of a long list, only the mesh's part is kept: a selector that picks others is the server's to answer."""
    snapshot.items(DEPLOYMENTS)
    snapshot.items(DEPLOYMENTS, labels=labels)
    assert [asked.query.get("labelSelector", "") for asked in server.asked] == ["", labels]


def test_metadata_alone_is_no_answer_to_a_question_for_more(server: ApiServer, snapshot: Snapshot) -> None:
    snapshot.items(DEPLOYMENTS, metadata_only=True)
    snapshot.items(DEPLOYMENTS, labels=COMPONENT)
    assert len(server.asked) == 2


def test_a_short_list_is_read_whole_and_once(server: ApiServer, snapshot: Snapshot) -> None:
    """By several at the same time, too; and one of its objects is taken from it, or known not to be there."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda labels: names(snapshot.items(MAPS, labels=labels)), ["rev", "rev=x", ""] * 5))
    assert found[:3] == [["istio"], [], ["istio", "sohistio-record"]]
    record = snapshot.get(f"{MAPS}/sohistio-record")
    assert record is not None
    assert (record["apiVersion"], record["kind"], names([record])) == ("v1", "ConfigMap", ["sohistio-record"])
    assert snapshot.get(f"{MAPS}/gone") is None
    assert [asked.query.get("labelSelector", "") for asked in server.asked] == [""]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "PATCH"])
def test_a_plan_writes_nothing(server: ApiServer, snapshot: Snapshot, method: str) -> None:
    with pytest.raises(AssertionError, match="a plan writes nothing"):
        snapshot.request(method, f"{MAPS}/istio", body={})
    assert server.asked == []


def test_what_a_plan_may_ask_with_a_body(server: ApiServer, snapshot: Snapshot) -> None:
    server.answers("PATCH", f"{MAPS}/istio", Reply({}))
    snapshot.dry_run_apply(f"{MAPS}/istio", {}, "istio-operator")
    assert len(server.asked) == 1
