"""What the kubelet of gateways' pods writes, and the order in which it ends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sohistio.sandbox.parts import usual_stages
from sohistio.sandbox.traffic.agent import AgentPorts, arguments, environment, pre_stop_seconds
from sohistio.sandbox.traffic.ending import Ending, Step, next_step, restart_pause
from sohistio.sandbox.traffic.pod_status import PodState, is_shown, status_of
from sohistio.sandbox.traffic.stages import GATEWAYS, without_proxies
from sohistio.sandbox.traffic.trouble import slow_seconds, trouble_of

THEN, NOW = "2026-11-26T10:00:00Z", "2026-11-26T10:00:05Z"
RUNNING = PodState("10.244.128.1", "10.224.1.4", THEN, THEN, ready=True)


def pod(*, container: dict[str, Any] | None = None, labels: dict[str, str] | None = None) -> dict[str, Any]:
    istio_proxy = {"name": "istio-proxy", "image": "istio/proxyv2:1.31.1"} | (container or {})
    return {
        "metadata": {"name": "gateway-1", "namespace": "istio-system", "uid": "u1", "labels": labels or {}},
        "spec": {"nodeName": "node-0", "serviceAccountName": "gateway", "containers": [istio_proxy]},
    }


@pytest.mark.parametrize(
    ("passed", "running", "terminated", "expected"),
    [
        (0, True, False, Step.WAIT),  # preStop sleeps
        (9.9, True, False, Step.WAIT),
        (10, True, False, Step.TERMINATE),
        (12, True, True, Step.WAIT),  # it drains
        (15, False, True, Step.END),
        (3, False, False, Step.END),  # it crashed, or never ran
        (30, True, True, Step.END),  # the grace period is over
        (31, True, False, Step.END),  # preStop took all of it
    ],
)
def test_the_order_in_which_a_pod_ends(passed: float, running: bool, terminated: bool, expected: Step) -> None:
    ending = Ending(begun=100, pre_stop=10, grace=30, terminated=terminated)
    assert next_step(ending, 100 + passed, running) is expected


def test_a_crashed_container_starts_again_after_a_pause_that_grows() -> None:
    assert [restart_pause(restarts) for restarts in (0, 1, 2, 3, 20)] == [0, 10, 20, 40, 300]


@pytest.mark.parametrize(
    ("hook", "seconds"),
    [
        (None, 0),
        ({"sleep": {"seconds": 10}}, 10),
        ({"exec": {"command": ["/bin/sh", "-c", "sleep 15"]}}, 15),
        ({"exec": {"command": ["/bin/sleep", "5"]}}, 5),
        ({"exec": {"command": ["/bin/true"]}}, 0),
    ],
)
def test_how_long_pre_stop_sleeps(hook: dict[str, Any] | None, seconds: float) -> None:
    assert pre_stop_seconds(pod(container={"lifecycle": {"preStop": hook}} if hook else {})) == seconds


def test_a_ready_pods_status() -> None:
    status = status_of(pod(), RUNNING, NOW)
    assert {kind["type"]: kind["status"] for kind in status["conditions"]} == dict.fromkeys(
        ("Initialized", "PodReadyToStartContainers", "ContainersReady", "Ready"), "True"
    )
    (container,) = status["containerStatuses"]
    assert (container["ready"], container["restartCount"]) == (True, 0)
    assert container["state"]["running"] == {"startedAt": THEN}


def test_a_crashed_pods_status_says_so() -> None:
    crashed = PodState("10.244.128.1", "10.224.1.4", THEN, "", ready=False, restarts=2, last_exit=137)
    status = status_of(pod(), crashed, NOW)
    (container,) = status["containerStatuses"]
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert (container["restartCount"], container["lastState"]["terminated"]["exitCode"]) == (2, 137)
    ready = next(found for found in status["conditions"] if found["type"] == "Ready")
    assert ready["message"] == "containers with unready status: [istio-proxy]"


def test_a_condition_keeps_the_time_of_its_last_change() -> None:
    before = pod() | {"status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": THEN}]}}
    since = {kind["type"]: kind["lastTransitionTime"] for kind in status_of(before, RUNNING, NOW)["conditions"]}
    assert (since["Ready"], since["ContainersReady"]) == (THEN, NOW)


def test_an_agents_environment_is_its_containers_with_the_way_to_istiod(tmp_path: Path) -> None:
    listed = [
        {"name": "PLAIN", "value": "as it is"},
        {"name": "PROXY_CONFIG", "value": '{"terminationDrainDuration": "20s"}'},
        {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "INSTANCE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "APP", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
    ]
    gateway = pod(
        container={"env": listed, "args": ["--domain", "$(POD_NAME).svc", "$(UNKNOWN)"]}, labels={"app": "ingress"}
    )
    given = environment(tmp_path, gateway, "10.244.128.1", AgentPorts(1, 2, 3), 4444)
    assert (given["PLAIN"], given["POD_NAME"], given["APP"]) == ("as it is", "gateway-1", "ingress")
    assert (given["INSTANCE_IP"], given["SANDBOX_POD_ADDRESS"]) == ("10.244.128.1", "127.244.128.1")
    assert given["CA_ADDR"] == "localhost:4444"
    assert '"terminationDrainDuration": "20s"' in given["PROXY_CONFIG"]
    assert "LIMIT" not in given
    assert arguments(gateway, given) == ("--domain", "gateway-1.svc", "$(UNKNOWN)")


@pytest.mark.parametrize(("text", "seconds"), [("true", 5), ("20s", 20), ("soon", 0), ("", 0)])
def test_slow_pods(text: str, seconds: int) -> None:
    assert slow_seconds(pod(labels={"sandbox.sohistio/slow": text})) == seconds
    assert trouble_of(pod(labels={"sandbox.sohistio/trouble": "crash"})) == "crash"


def test_kwok_leaves_proxies_alone_only_where_the_kubelet_has_them() -> None:
    usual = {stage["metadata"]["name"]: stage for stage in yaml.safe_load_all(usual_stages())}
    left = {stage["metadata"]["name"]: stage for stage in yaml.safe_load_all(without_proxies(usual_stages()))}
    changed = {name for name in usual if usual[name] != left[name]}
    assert usual.keys() == left.keys()
    assert changed == {"pod-ready", "pod-not-ready", "pod-delete"}
    for name in changed:
        *others, gateways, sidecars = left[name]["spec"]["selector"]["matchExpressions"]
        assert others == usual[name]["spec"]["selector"]["matchExpressions"]
        assert (gateways["operator"], gateways["values"]) == ("NotIn", list(GATEWAYS))
        assert (sidecars["key"], sidecars["operator"]) == ('.metadata.labels["sandbox.sohistio/sidecar"]', "NotIn")


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
