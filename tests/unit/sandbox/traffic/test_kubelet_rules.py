"""What the kubelet of gateways' pods does beside their status, and the order in which it ends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sohistio.sandbox.parts import usual_stages
from sohistio.sandbox.traffic.agent import AgentPorts, arguments, environment, pre_stop_seconds
from sohistio.sandbox.traffic.ending import Ending, Step, next_step, restart_pause
from sohistio.sandbox.traffic.proxy_pod import part_name
from sohistio.sandbox.traffic.stages import GATEWAYS, SIDECAR_LABEL, without_proxies
from sohistio.sandbox.traffic.trouble import slow_seconds, trouble_of


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


def test_kwok_leaves_gateways_and_sidecars_alone_only_where_the_kubelet_has_them() -> None:
    usual = {stage["metadata"]["name"]: stage for stage in yaml.safe_load_all(usual_stages())}
    left = {stage["metadata"]["name"]: stage for stage in yaml.safe_load_all(without_proxies(usual_stages()))}
    changed = {name for name in usual if usual[name] != left[name]}
    assert usual.keys() == left.keys()
    assert changed == {"pod-ready", "pod-not-ready", "pod-delete"}
    for name in changed:
        *others, gateways, sidecars = left[name]["spec"]["selector"]["matchExpressions"]
        assert others == usual[name]["spec"]["selector"]["matchExpressions"]
        assert (gateways["operator"], gateways["values"]) == ("NotIn", list(GATEWAYS))
        assert (sidecars["operator"], sidecars["values"]) == ("NotIn", ["true"])
        assert SIDECAR_LABEL in sidecars["key"]


def test_an_envoys_name_says_its_namespace_where_its_pods_name_is_not_enough() -> None:
    gateway, workload = pod(), pod()
    workload["metadata"] |= {"name": "web-0", "namespace": "shop"}
    assert (part_name(gateway), part_name(workload)) == ("envoy-gateway-1", "envoy-web-0.shop")
