"""For how long a gateway had no ready pod while a run worked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from sohistio.model.state import ObjectRef
from sohistio.run.gateway_watch import GatewayWatch

WEB = ObjectRef("Deployment", "istio-system", "web")
PATH = "/apis/apps/v1/namespaces/istio-system/deployments/web"
READY, OFF, GONE = Reply({"status": {"readyReplicas": 2}}), Reply({"status": {}}), Reply({}, 404)


@pytest.mark.parametrize(
    ("replies", "noticed"),
    [
        pytest.param((READY,), False, id="ready-all-the-time"),
        pytest.param((READY, OFF, READY), True, id="away-in-between"),
        pytest.param((OFF, OFF, READY), True, id="there-and-off-at-first"),
        pytest.param((GONE, GONE, READY), False, id="made-by-the-run"),
    ],
)
def test_what_traffic_noticed(tmp_path: Path, replies: tuple[Reply, ...], noticed: bool) -> None:
    with ApiServer() as server:
        server.answers("GET", PATH, *replies)
        with GatewayWatch(server.api(tmp_path), (WEB,)) as watch:
            deadline = time.monotonic() + 20
            while len(server.asked) < len(replies) + 2:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    assert (watch.seconds["web"] > 0) is noticed
