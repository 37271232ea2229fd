"""What restarts add to pods, and whether quotas have room for that."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sohistio.model.quota_room import Amounts, Quota, added, quotas_in, without_room
from sohistio.model.state import ObjectRef

WEB, API, OTHER = (
    ObjectRef("Deployment", place, name) for place, name in (("shop", "web"), ("shop", "api"), ("x", "y"))
)


def pod(key: str = "initContainers", **requests: str) -> dict[str, Any]:
    proxy = {"name": "istio-proxy", "resources": {"requests": requests, "limits": {"memory": "1Gi"}}}
    return {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "9"}}}]} | {key: [proxy]}}


BARE: dict[str, Any] = {"spec": {"containers": [{"name": "app"}]}}


def test_what_sidecars_take_more() -> None:
    gibibyte = Decimal(1024**3)
    new = pod(cpu="100m")
    assert added(new, [BARE, BARE]) == {"requests.cpu": Decimal("0.2"), "limits.memory": 2 * gibibyte}
    assert added(new, [pod(cpu="30m"), pod("containers", cpu="0.1")]) == {"requests.cpu": Decimal("0.07")}
    assert added(new, [pod(cpu="1")]) == {}, "what takes less needs no room"


def quota(hard: dict[str, str], used: dict[str, str], **spec: Any) -> dict[str, Any]:
    metadata = {"name": "q", "namespace": "shop"}
    return {"metadata": metadata, "spec": spec, "status": {"hard": hard, "used": used}}


@pytest.mark.parametrize(
    ("item", "found"),
    [
        pytest.param(
            quota({"cpu": "1", "pods": "5"}, {"cpu": "400m", "pods": "1"}),
            [Quota("shop", "q", {"requests.cpu": Decimal("0.6")})],
            id="cpu-is-requests",
        ),
        pytest.param(
            quota({"limits.memory": "1Gi"}, {}, scopes=["NotBestEffort"]),
            [Quota("shop", "q", {"limits.memory": Decimal(1024**3)})],
            id="of-usual-pods",
        ),
        pytest.param(quota({"cpu": "1"}, {}, scopes=["Terminating"]), [], id="of-jobs"),
        pytest.param(quota({"cpu": "1"}, {}, scopeSelector={"matchExpressions": []}), [], id="of-a-priority"),
        pytest.param({"metadata": {"name": "q", "namespace": "shop"}}, [Quota("shop", "q", {})], id="new"),
    ],
)
def test_quotas(item: dict[str, Any], found: list[Quota]) -> None:
    assert quotas_in([item]) == found


def test_who_comes_later_has_the_room_that_is_left() -> None:
    need: Amounts = {"requests.cpu": Decimal("0.2")}
    room = [Quota("shop", "q", {"requests.cpu": Decimal("0.3"), "limits.memory": Decimal(0)})]
    found = without_room([(WEB, need), (API, need), (OTHER, need)], room)
    assert {ref: refusal.words for ref, refusal in found.items()} == {
        API: "the quota q has no room for the sidecars of all its pods (requests.cpu: 200m more, 100m left)"
    }
    memory = {"limits.memory": Decimal(2 * 1024**3)}
    (why,) = without_room([(WEB, memory)], room).values()
    assert why.words.endswith("(limits.memory: 2048Mi more, 0Mi left)")
