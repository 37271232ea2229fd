"""A gateway's pods are replaced behind a load balancer that notices late: no request is refused, and none is cut."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from https_load import load
from own_environments import own_environments
from requests_by_address import get, trusting
from sandboxes import Sandbox
from shop import HOST, SYSTEM, Shop, await_true, open_shop, traffic_sandbox

pytestmark = pytest.mark.e2e

GATEWAY = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/istio-ingressgateway"
KEYS = {"longestRequest": "20s", "loadBalancerDelay": "10s"}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with traffic_sandbox(tmp_path_factory.mktemp("state"), "--load-balancer-lag", "8s", nodes=2) as found:
        yield found


@pytest.fixture(scope="module")
def shop(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return open_shop(box, tmp_path_factory.mktemp("own"), gateways=KEYS)


def gateways(sandbox: Sandbox) -> set[str]:
    """The uids of the ingress gateway's pods, those that end too."""
    pods = sandbox.api.items(f"/api/v1/namespaces/{SYSTEM}/pods", labels="app=istio-ingressgateway")
    return {pod["metadata"]["uid"] for pod in pods}


def test_a_rollout_loses_no_request_and_cuts_no_long_one(shop: Shop) -> None:
    before = gateways(shop.sandbox)
    shop.annotate(delay="15s")  # 15 s of the 20 that a request may take
    time.sleep(0.5)
    with ThreadPoolExecutor(9) as pool:
        trusted = trusting(shop.authority)
        long_ones = [pool.submit(get, shop.address, HOST, trusted, seconds=60) for _ in range(9)]
        time.sleep(1)
        shop.annotate(delay=None)
        time.sleep(0.5)
        with load(shop.address, HOST, shop.authority, 40) as answers:
            restarted = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
            shop.sandbox.api.merge_patch(GATEWAY, {"spec": {"template": {"metadata": {"annotations": restarted}}}})
            await_true(lambda: not before & gateways(shop.sandbox), 180)
        assert [request.result().status for request in long_ones] == [200] * 9
    assert answers.keys() == {"200"}
    assert answers["200"] > 500


def test_gateways_that_would_cut_requests_are_named(shop: Shop, tmp_path: Path) -> None:
    flags = own_environments(tmp_path, ingressAddress=shop.address, applicationNamespaces=[], gateways=KEYS)
    spec = {"terminationGracePeriodSeconds": 12}
    shop.sandbox.api.merge_patch(GATEWAY, {"spec": {"template": {"spec": spec}}})
    report = json.loads(shop.sandbox.run("check", *flags, "--output", "json").stdout)
    said = [check["message"] for check in report["checks"] if check["name"] == "gateway-drain"]
    assert sorted(said) == [
        "a pod of istio-egressgateway that ends takes connections for 10 s, then serves what is open for 20 s",
        "as it runs now, istio-ingressgateway cuts requests after 2s (its grace period), and the longest takes 20s",
    ]
