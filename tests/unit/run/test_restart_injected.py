"""A restart stops at the first workload that comes up without a sidecar; few are looked at, and none of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_server import ApiServer, Reply
from sohistio.errors import FailedError
from sohistio.model.state import ObjectRef, Workload
from sohistio.run.injected import Injected

PODS = "/api/v1/namespaces/shop/pods"
STATUS = {"sidecar.istio.io/status": "{}"}


def pod(
    name: str,
    *,
    made: str,
    injected: bool = True,
    owner: str = "web-5d9",
    ends: bool = False,
    stripped: bool = False,
) -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "creationTimestamp": made,
            "labels": {"app": "web", "pod-template-hash": "5d9"},
            "annotations": STATUS if injected else {},
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner}],
        }
        | ({"deletionTimestamp": made} if ends else {}),
        "spec": {"initContainers": [] if stripped else [{"name": "istio-proxy"}]},
    }


def workload(name: str, kind: str = "Deployment") -> Workload:
    template = {"metadata": {"labels": {"app": name}}}
    return Workload(ObjectRef(kind, "shop", name), 1, False, "RollingUpdate", 1, False, (), template=template)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as running:
        yield running


OLD, NEW = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"


@pytest.mark.parametrize(
    ("pods", "bare"),
    [
        pytest.param([pod("a", made=OLD, injected=False), pod("b", made=NEW)], "", id="the-old-one-was-bare"),
        pytest.param([pod("a", made=OLD), pod("b", made=NEW, injected=False)], "b", id="the-new-one-is"),
        pytest.param([pod("a", made=OLD), pod("b", made=NEW, injected=False, ends=True)], "", id="it-ends"),
        pytest.param([pod("a", made=OLD), pod("b", made=NEW, injected=False, owner="job")], "", id="of-a-job"),
        pytest.param([pod("b", made=NEW, stripped=True)], "b", id="its-proxy-was-taken-out"),
        pytest.param([], "", id="none-any-more"),
    ],
)
def test_the_newest_pod_of_the_workload_decides(
    server: ApiServer, tmp_path: Path, pods: list[dict[str, Any]], bare: str
) -> None:
    server.answers("GET", PODS, Reply({"metadata": {}, "items": pods}))
    looks = Injected(server.api(tmp_path), [workload("web")])
    if not bare:
        looks.look([workload("web").ref], 3)
    else:
        with pytest.raises(FailedError) as raised:
            looks.look([workload("web").ref], 3)
        assert str(raised.value).startswith("Deployment shop/web came up without a sidecar")
        assert (raised.value.what.endswith("3 more were not started"), bare in raised.value.details[0]) == (True, True)
    assert [asked.query["labelSelector"] for asked in server.asked] == ["app=web"]


def test_one_of_many_that_come_up_together_is_looked_at(server: ApiServer, tmp_path: Path) -> None:
    server.answers("GET", PODS, Reply({"metadata": {}, "items": [pod("a", made=NEW)]}))
    all_of_them = [workload(f"w{number}") for number in range(50)]
    Injected(server.api(tmp_path), all_of_them).look([item.ref for item in all_of_them], 0)
    assert len(server.asked) == 1
