"""What the kubelet of pods with a proxy writes into their status."""

from __future__ import annotations

from typing import Any

import pytest

from sohistio.sandbox.traffic.pod_status import PodState, is_shown, restarts_of, status_of
from sohistio.sandbox.traffic.proxy_container import container_of, has_proxy

THEN, NOW = "2026-11-26T10:00:00Z", "2026-11-26T10:00:05Z"
RUNNING = PodState("10.244.128.1", "10.224.1.4", THEN, THEN, ready=True)
CRASHED = PodState("10.244.128.1", "10.224.1.4", THEN, "", ready=False, restarts=2, last_exit=137)
PROXY = {"name": "istio-proxy", "image": "istio/proxyv2:1.31.1"}
NATIVE = PROXY | {"restartPolicy": "Always"}
APPLICATION = {"name": "app", "image": "example/app:1"}
PREPARING = {"name": "istio-init", "image": "istio/proxyv2:1.31.1"}


def pod(*containers: dict[str, Any], initial: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": list(containers or (PROXY,))}
    if initial:
        spec["initContainers"] = list(initial)
    return {"metadata": {"name": "pod-1", "namespace": "shop", "uid": "u1"}, "spec": spec}


def shown(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The statuses of all containers, by name."""
    return {found["name"]: found for found in status["containerStatuses"] + status["initContainerStatuses"]}


def test_a_ready_pods_status() -> None:
    status = status_of(pod(), RUNNING, NOW)
    assert {kind["type"]: kind["status"] for kind in status["conditions"]} == dict.fromkeys(
        ("Initialized", "PodReadyToStartContainers", "ContainersReady", "Ready"), "True"
    )
    (container,) = status["containerStatuses"]
    assert (container["ready"], container["restartCount"]) == (True, 0)
    assert container["state"]["running"] == {"startedAt": THEN}


def test_a_crashed_pods_status_says_so() -> None:
    status = status_of(pod(), CRASHED, NOW)
    (container,) = status["containerStatuses"]
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert (container["restartCount"], container["lastState"]["terminated"]["exitCode"]) == (2, 137)
    ready = next(found for found in status["conditions"] if found["type"] == "Ready")
    assert ready["message"] == "containers with unready status: [istio-proxy]"


def test_a_condition_keeps_the_time_of_its_last_change() -> None:
    before = pod() | {"status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": THEN}]}}
    since = {kind["type"]: kind["lastTransitionTime"] for kind in status_of(before, RUNNING, NOW)["conditions"]}
    assert (since["Ready"], since["ContainersReady"]) == (THEN, NOW)


@pytest.mark.parametrize(
    ("conditions", "ready", "shown"),
    [
        pytest.param({"ContainersReady": "True", "Ready": "True"}, True, True, id="as-it-is"),
        pytest.param({"ContainersReady": "True", "Ready": "False"}, True, False, id="the-node-controller-wrote"),
        pytest.param({}, True, False, id="never-written"),
        pytest.param({"ContainersReady": "False", "Ready": "False"}, False, True, id="not-ready"),
    ],
)
def test_whether_a_pod_shows_what_is_so(conditions: dict[str, str], ready: bool, shown: bool) -> None:
    pod = {"status": {"conditions": [{"type": kind, "status": value} for kind, value in conditions.items()]}}
    assert is_shown(pod, PodState("127.244.128.1", "10.0.0.1", "then", "then", ready)) is shown


@pytest.mark.parametrize(
    "workload",
    [
        pytest.param(pod(APPLICATION, initial=(PREPARING, NATIVE)), id="native"),
        pytest.param(pod(APPLICATION, PROXY, initial=(PREPARING,)), id="beside"),
    ],
)
def test_a_sidecar_fails_alone(workload: dict[str, Any]) -> None:
    status = status_of(workload, CRASHED, NOW)
    assert [found["name"] for found in status["containerStatuses"]] == [
        item["name"] for item in workload["spec"]["containers"]
    ]
    containers = shown(status)
    assert containers["istio-proxy"]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert (containers["istio-proxy"]["restartCount"], containers["istio-proxy"]["ready"]) == (2, False)
    assert (containers["app"]["restartCount"], containers["app"]["ready"]) == (0, True)
    assert containers["app"]["state"]["running"] == {"startedAt": THEN}
    assert containers["istio-init"]["state"]["terminated"]["reason"] == "Completed"
    ready = next(found for found in status["conditions"] if found["type"] == "Ready")
    assert (ready["status"], ready["message"]) == ("False", "containers with unready status: [istio-proxy]")


def test_restarts_are_the_proxys_own() -> None:
    workload = pod(APPLICATION, initial=(NATIVE,))
    assert restarts_of(workload) == 0
    assert restarts_of(workload | {"status": status_of(workload, CRASHED, NOW)}) == 2
    assert restarts_of(workload | {"status": status_of(workload, RUNNING, NOW)}) == 1  # it ran under another supervisor


def test_which_container_has_the_proxy() -> None:
    assert container_of(pod(APPLICATION, initial=(PREPARING, NATIVE))) == NATIVE
    assert container_of(pod(APPLICATION, PROXY)) == PROXY
    assert [has_proxy(found) for found in (pod(APPLICATION, initial=(NATIVE,)), pod(APPLICATION))] == [True, False]
