"""What a watch counts of the gateways' pods: restarts and crash loops since it began, the least that were ready."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from api_server import ApiServer, Reply
from sides import INGRESS
from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.gateway_pods import GatewayPods
from sohistio.model.health import PodLook
from sohistio.model.state import ObjectRef
from sohistio.run.gateway_health import GatewayLooks

DEPLOYMENT = "/apis/apps/v1/namespaces/istio-system/deployments/istio-ingressgateway"
PODS = "/api/v1/namespaces/istio-system/pods"
POD = PodLook("1", "pod-1", ready=True)
OLD = replace(POD, restarts=7)
OTHER = PodLook("2", "pod-2", ready=True)


@pytest.mark.parametrize(
    ("looks", "problem"),
    [
        pytest.param([(OLD, OTHER), (OLD, OTHER)], "", id="restarted-before-the-watch"),
        pytest.param([(OLD,), (replace(OLD, restarts=8),)], "its pods were restarted once", id="restarted-since"),
        pytest.param(
            [(OLD,), (replace(OLD, restarts=9, last_end="OOMKilled, exit code 137"),), (OTHER,)],
            "its pods were restarted 2 times (pod-1: OOMKilled, exit code 137)",
            id="gone-since",
        ),
        pytest.param([(POD,), (POD, replace(OTHER, restarts=1))], "restarted once", id="a-new-pod"),
        pytest.param([(POD,), (POD, replace(OTHER, crashes=True))], "crash loop of pod-2", id="a-new-crash-loop"),
        pytest.param([(POD, replace(OTHER, crashes=True))] * 2, "", id="an-old-crash-loop"),
        pytest.param([(POD,), (replace(POD, ready=False),), (POD,)], "had no ready pod", id="none-for-a-moment"),
        pytest.param([(POD, OTHER), (replace(POD, ready=False), OTHER)], "", id="one-of-two"),
        pytest.param([(POD,), ()], "had no ready pod", id="scaled-to-none"),
    ],
)
def test_what_fails_a_watch(looks: list[tuple[PodLook, ...]], problem: str) -> None:
    counted = GatewayLooks((INGRESS,), lambda: {})
    for look in looks:
        counted.count({INGRESS: look})
    (health,) = counted.health
    assert problem in health.problem
    assert bool(health.problem) is bool(problem)
    assert health.least == min(sum(pod.ready for pod in look) for look in looks)


def test_while_nobody_answers_nothing_is_known() -> None:
    asked: list[float] = []

    def look() -> Mapping[ObjectRef, tuple[PodLook, ...]]:
        asked.append(time.monotonic())
        raise KubeError("no answer", 0)

    end = time.monotonic() + 10
    with GatewayLooks((INGRESS,), look) as looks:
        while len(asked) < 2 and time.monotonic() < end:
            time.sleep(0.02)
    assert looks.health == ()
    assert looks.blind_seconds > 0.5


def pod(name: str, app: str = "ingress", **status: object) -> dict[str, object]:
    metadata = {"name": name, "uid": name, "labels": {"app": app}}
    ready = {"type": "Ready", "status": "True"}
    return {"metadata": metadata, "status": {"conditions": [ready]} | status}


def test_pods_as_the_api_server_has_them(tmp_path: Path) -> None:
    container = {
        "name": "istio-proxy",
        "restartCount": 2,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
    }
    ending = pod("pod-3")
    ending["metadata"] = {"name": "pod-3", "labels": {"app": "ingress"}, "deletionTimestamp": "2026-11-27T00:00:00Z"}
    with ApiServer() as server:
        server.answers("GET", DEPLOYMENT, Reply({"spec": {"selector": {"matchLabels": {"app": "ingress"}}}}))
        server.answers(
            "GET",
            PODS,
            Reply({"items": [pod("pod-1"), pod("pod-2", containerStatuses=[container]), pod("other", "web"), ending]}),
        )
        pods = GatewayPods(server.api(tmp_path), (INGRESS,))
        found = pods.look()
        assert pods.look() == found
        assert [asked.path for asked in server.asked].count(DEPLOYMENT) == 1, "a selector cannot change"
    assert found[INGRESS] == (
        PodLook("pod-1", "pod-1", ready=True),
        PodLook("pod-2", "pod-2", ready=True, restarts=2, crashes=True, last_end="OOMKilled, exit code 137"),
    )
