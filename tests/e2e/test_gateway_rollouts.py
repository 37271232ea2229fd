"""A gateway's pods are replaced behind a load balancer that notices late: no request is refused, and none is cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_load import UPLOADS, mixed_load
from own_environments import own_environments, with_pod_labels
from sandboxes import Sandbox
from shop import SYSTEM, Shop, await_true, open_shop, traffic_sandbox

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


def environment(shop: Shop, folder: Path, **labels: str) -> tuple[str, ...]:
    """The shop's, with these labels on the ingress gateway's pods."""
    flags = own_environments(folder, ingressAddress=shop.address, applicationNamespaces=[], gateways=KEYS)
    return with_pod_labels(flags, {"ingressGateways": "istio-ingressgateway"}, **labels)


def gateways(sandbox: Sandbox) -> set[str]:
    """The uids of the ingress gateway's pods, those that end too."""
    pods = sandbox.api.items(f"/api/v1/namespaces/{SYSTEM}/pods", labels="app=istio-ingressgateway")
    return {pod["metadata"]["uid"] for pod in pods}


def test_an_install_loses_no_request_and_cuts_no_upload(shop: Shop, tmp_path: Path) -> None:
    before = gateways(shop.sandbox)
    flags = environment(shop, tmp_path, colour="blue")
    with mixed_load(shop, tmp_path, 20, upload_seconds=15) as counted:  # 15 s of the 20 that a request may take
        installed = shop.sandbox.run("install", *flags)
        assert installed.returncode == 0, installed.stdout + installed.stderr
        await_true(lambda: not before & gateways(shop.sandbox), 180)
    assert {kind: (found.failed, found.errors) for kind, found in counted.items()} == dict.fromkeys(counted, (0, {}))
    assert sum(found.sent for found in counted.values()) > 1000
    assert counted[UPLOADS].sent >= 3


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
