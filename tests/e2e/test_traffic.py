"""Traffic: requests through real Envoys, load balancers that follow the gateways, and backends that fail when asked."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from https_load import load, object_of
from sandboxes import Sandbox
from shop import HOST, SYSTEM, Shop, await_true, open_shop, traffic_of, traffic_sandbox
from sohistio.sandbox.processes import processes_of
from workloads import pods_of

pytestmark = pytest.mark.e2e

GATEWAY = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/istio-ingressgateway"


def ready_gateways(sandbox: Sandbox) -> set[str]:
    """The uids of the ingress gateway's pods that are ready."""
    return {
        pod["metadata"]["uid"]
        for pod in pods_of(sandbox.api, SYSTEM, "istio-ingressgateway")
        for condition in pod["status"].get("conditions", ())
        if condition["type"] == "Ready" and condition["status"] == "True"
    }


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with traffic_sandbox(tmp_path_factory.mktemp("state")) as found:
        yield found


@pytest.fixture(scope="module")
def shop(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return open_shop(box, tmp_path_factory.mktemp("own"))


def test_a_request_goes_through_a_real_envoy_to_a_backend(shop: Shop) -> None:
    answer = shop.get("/basket?of=4711")
    assert (answer.status, answer.headers["x-region"], answer.headers["server"]) == (200, "local", "istio-envoy")
    assert object_of(answer)["region"] == "local"
    assert object_of(answer)["path"] == "/basket?of=4711"
    pods = {pod["metadata"]["name"] for pod in pods_of(shop.sandbox.api, "shop")}
    await_true(lambda: {object_of(shop.get())["pod"] for _ in range(20)} == pods)
    parts = {part["name"]: part for part in traffic_of(shop.sandbox)["parts"]}
    for pod in pods_of(shop.sandbox.api, SYSTEM, "istio-ingressgateway"):
        assert parts[f"envoy-{pod['metadata']['name']}"]["state"] == "running"
    assert parts[f"load balancer {SYSTEM}/istio-ingressgateway"]["address"] == shop.address
    assert parts["backends"]["state"] == "running"


def test_a_backend_fails_and_waits_as_its_pods_say(shop: Shop) -> None:
    shop.annotate(answer="503", delay=None)
    await_true(lambda: shop.status() == 503, 10)
    shop.annotate(answer=None, delay="2s")
    await_true(lambda: shop.status() == 200, 10)
    begun = time.monotonic()
    assert shop.status() == 200
    assert time.monotonic() - begun >= 2
    shop.annotate(delay=None)
    time.sleep(0.5)


def test_a_rolling_restart_of_the_gateway_loses_no_request(shop: Shop) -> None:
    """The pods are ended as a kubelet ends them: Envoys drain, and the load balancer knows."""
    before = ready_gateways(shop.sandbox)
    restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    with load(shop.address, HOST, shop.authority, 40) as answers:
        time.sleep(1)
        shop.sandbox.api.merge_patch(GATEWAY, {"spec": {"template": {"metadata": {"annotations": restarted}}}})
        await_true(lambda: len(ready_gateways(shop.sandbox) - before) >= len(before))
        await_true(lambda: not before & _all_gateways(shop.sandbox))
    assert answers.keys() == {"200"}
    assert answers["200"] > 100


def _all_gateways(sandbox: Sandbox) -> set[str]:
    pods = sandbox.api.items(f"/api/v1/namespaces/{SYSTEM}/pods", labels="app=istio-ingressgateway")
    return {pod["metadata"]["uid"] for pod in pods}


def test_without_gateways_connections_are_refused(shop: Shop) -> None:
    scaled = shop.sandbox.api.get(GATEWAY)
    assert scaled is not None
    shop.sandbox.api.merge_patch(GATEWAY, {"spec": {"replicas": 0}})
    await_true(lambda: shop.status() == 0)
    await_true(lambda: "envoy-istio-ingressgateway" not in str(traffic_of(shop.sandbox)), 10)
    shop.sandbox.api.merge_patch(GATEWAY, {"spec": {"replicas": scaled["spec"]["replicas"]}})
    await_true(lambda: shop.status() == 200)


def test_a_crashed_envoy_is_started_again(shop: Shop) -> None:
    pod = pods_of(shop.sandbox.api, SYSTEM, "istio-ingressgateway")[0]
    path = f"/api/v1/namespaces/{SYSTEM}/pods/{pod['metadata']['name']}"
    part = f"envoy-{pod['metadata']['name']}"
    pid = next(found["pid"] for found in traffic_of(shop.sandbox)["parts"] if found["name"] == part)
    os.kill(pid, signal.SIGKILL)

    def is_back() -> bool:
        found: dict[str, Any] = shop.sandbox.api.get(path) or {}
        (container,) = found["status"]["containerStatuses"]
        return bool(container["restartCount"] == 1 and container["ready"])

    await_true(is_back)
    assert shop.status() == 200


def test_troubled_gateways_are_shown_as_such(shop: Shop) -> None:
    pod = pods_of(shop.sandbox.api, SYSTEM, "istio-ingressgateway")[-1]
    path, uid = f"/api/v1/namespaces/{SYSTEM}/pods/{pod['metadata']['name']}", pod["metadata"]["uid"]
    for trouble in ("not-ready", "crash"):
        shop.sandbox.api.merge_patch(path, {"metadata": {"labels": {"sandbox.sohistio/trouble": trouble}}})
        await_true(lambda: uid not in ready_gateways(shop.sandbox), 20)
        shop.sandbox.api.merge_patch(path, {"metadata": {"labels": {"sandbox.sohistio/trouble": None}}})
        await_true(lambda: uid in ready_gateways(shop.sandbox), 20)


def test_a_second_sandbox_has_ranges_of_its_own(shop: Shop) -> None:
    sandbox = shop.sandbox
    try:
        up = sandbox.run("sandbox", "up", "--traffic", "--name", "second", "--load-balancer-lag", "8s", "--nodes", "1")
        assert up.returncode == 0, up.stderr
        first, second = (traffic_of(sandbox, name)["traffic"] for name in ("local", "second"))
        for key in ("number", "region", "podRange", "serviceRange", "loadBalancerRange"):
            assert first[key] != second[key]
        assert (first["loadBalancerLag"], second["loadBalancerLag"]) == (0, 8)
    finally:
        down = sandbox.run("sandbox", "down", "--name", "second")
    assert down.returncode == 0, down.stderr
    assert shop.status() == 200


def test_a_sandbox_without_traffic_does_not_get_it_later(box: Sandbox) -> None:
    try:
        assert box.run("sandbox", "up", "--name", "plain", "--nodes", "1").returncode == 0
        assert traffic_of(box, "plain")["traffic"] is None
        refused = box.run("sandbox", "up", "--name", "plain", "--traffic")
        assert refused.returncode == 3
        assert "made without traffic" in refused.stderr
    finally:
        box.run("sandbox", "down", "--name", "plain")


def test_down_ends_the_envoys_of_a_killed_supervisor(shop: Shop) -> None:
    """The last story: the sandbox is gone after it."""
    folder: Path = shop.sandbox.folder
    pid = next(part["pid"] for part in traffic_of(shop.sandbox)["parts"] if part["name"] == "supervisor")
    os.kill(pid, signal.SIGKILL)
    assert shop.sandbox.run("sandbox", "down").returncode == 0
    assert processes_of(folder) == []
    assert shop.status() == 0
