"""Waits for rollouts: which of the two timeouts ended one, and with what reasons."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import pytest

from apiserver import ApiServer, Reply
from sohistio.cluster.hold import Hold
from sohistio.errors import FailedError
from sohistio.output.lines import LineObserver
from sohistio.run.waiting import Waiting
from sohistio.state import ObjectRef

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
