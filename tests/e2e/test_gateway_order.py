"""Gateways are replaced one after the other, and one whose new pods do not answer as they should keeps its old ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from foreign import create
from own_environments import own_environments, with_pod_labels
from sandboxes import Sandbox
from shop import HOST, SYSTEM, Shop, await_true, open_shop, traffic_sandbox
from sohistio.checks.preflight.quantities import Amount, pod_request
from watching import watching
from workloads import await_running, deployment, namespace

pytestmark = pytest.mark.e2e

DEPLOYMENTS = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments"
POLICIES = f"/apis/security.istio.io/v1/namespaces/{SYSTEM}/authorizationpolicies"
INGRESS, EGRESS = "istio-ingressgateway", "istio-egressgateway"
BOTH = {"ingressGateways": INGRESS, "egressGateways": EGRESS}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with traffic_sandbox(tmp_path_factory.mktemp("state")) as box:
        yield open_shop(box, tmp_path_factory.mktemp("own"))


def environment(shop: Shop, folder: Path, gateways: Mapping[str, str] = BOTH, **labels: str) -> tuple[str, ...]:
    """With probes to the shop, and these labels on the pods of gateways."""
    (folder / "authority.pem").write_text(shop.authority)
    probe = {"url": f"https://{HOST}/", "ca": str(folder / "authority.pem")}
    keys = {"loadBalancerDelay": "0s", "probes": [probe], "egressProbes": [{**probe}]}
    flags = own_environments(folder, ingressAddress=shop.address, applicationNamespaces=[], gateways=keys)
    return with_pod_labels(flags, gateways, **labels)


def plan_of(box: Sandbox, flags: tuple[str, ...]) -> dict[str, Any]:
    planned = box.run("plan", *flags, "--output", "json")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    return dict(json.loads(planned.stdout))


def gateway(box: Sandbox, name: str) -> dict[str, Any]:
    found = box.api.get(f"{DEPLOYMENTS}/{name}")
    assert found is not None
    return found


def pods(box: Sandbox, name: str) -> set[str]:
    """The uids of a gateway's pods that are not going."""
    found = box.api.items(f"/api/v1/namespaces/{SYSTEM}/pods", labels=f"app={name}")
    return {pod["metadata"]["uid"] for pod in found if "deletionTimestamp" not in pod["metadata"]}


@contextmanager
def watched(box: Sandbox) -> Iterator[list[dict[str, tuple[int, int]]]]:
    """Each gateway's old and new pods, looked at ten times a second."""
    before = {name: pods(box, name) for name in (INGRESS, EGRESS)}

    def look() -> dict[str, tuple[int, int]]:
        now = {name: pods(box, name) for name in before}
        return {name: (len(now[name] & old), len(now[name] - old)) for name, old in before.items()}

    with watching(look) as seen:
        yield seen


def test_the_egress_gateway_waits_for_the_ingress(shop: Shop, tmp_path: Path) -> None:
    box = shop.sandbox
    flags = environment(shop, tmp_path, colour="blue")
    planned = plan_of(box, flags)
    summaries = [step["summary"] for phase in planned["phases"] for step in phase["steps"]]
    assert f"re-apply Istio 1.31.1: istiod, then {INGRESS}, then {EGRESS}" in summaries
    with watched(box) as seen:
        installed = box.run("install", *flags)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert any(look[INGRESS][1] for look in seen)
    assert any(look[EGRESS][1] for look in seen)
    early = [look for look in seen if look[EGRESS][1] and look[INGRESS][0]]
    assert early == [], "a new pod of the egress gateway while the ingress gateway has old ones"
    assert min(sum(look[INGRESS]) for look in seen) >= 3
    for name in (INGRESS, EGRESS):
        found = gateway(box, name)
        assert "paused" not in found["spec"]
        assert "sohistio.io/held" not in (found["metadata"].get("annotations") or {})


def test_new_pods_that_do_not_answer_are_taken_back(shop: Shop, tmp_path: Path) -> None:
    box = shop.sandbox
    good, bad = environment(shop, tmp_path, colour="blue"), environment(shop, tmp_path, colour="red")
    denied = {"selector": {"matchLabels": {"colour": "red"}}, "action": "DENY", "rules": [{}]}
    policy = {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "red"}}
    box.api.create(POLICIES, policy | {"spec": denied})
    before = {name: pods(box, name) for name in (INGRESS, EGRESS)}

    failed = box.run("install", *bad)
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert f"{INGRESS} does not answer as it should since its first new pod serves" in failed.stderr
    assert f"https://{HOST}/ at {shop.address}: 2 of " in failed.stderr
    assert "it answered 403, not 200" in failed.stderr
    assert "the old ones serve" in failed.stderr
    await_true(lambda: gateway(box, INGRESS)["status"].get("updatedReplicas", 0) == 0)
    await_true(lambda: len(pods(box, INGRESS)) == 3 and gateway(box, INGRESS)["status"]["readyReplicas"] == 3)
    assert len(pods(box, INGRESS) & before[INGRESS]) >= 2, "one may have gone before the rollout was stopped"
    assert pods(box, EGRESS) == before[EGRESS]
    await_true(lambda: all(shop.status() == 200 for _ in range(9)))

    planned = plan_of(box, bad)
    assert any(f"has held {EGRESS}, {INGRESS}" in reason for reason in planned["reasons"]), planned["reasons"]

    back = box.run("install", *good)
    assert back.returncode == 0, back.stdout + back.stderr
    for name in (INGRESS, EGRESS):
        assert "paused" not in gateway(box, name)["spec"]
    assert pods(box, EGRESS) == before[EGRESS], "nothing new, so nothing was replaced"
    assert plan_of(box, good)["mode"] == "none"


def free_cpu(box: Sandbox) -> dict[str, float]:
    """Of each node, in CPUs."""
    pods = box.api.items("/api/v1/pods")
    return {
        node["metadata"]["name"]: Amount.of(node["status"]["allocatable"]).cpu
        - sum(pod_request(pod["spec"]).cpu for pod in pods if pod["spec"].get("nodeName") == node["metadata"]["name"])
        for node in box.api.items("/api/v1/nodes")
    }


@pytest.mark.bench
def test_without_room_for_one_pod_more_one_goes_first(shop: Shop, tmp_path: Path) -> None:
    box = shop.sandbox
    flags = environment(shop, tmp_path, {"ingressGateways": INGRESS}, size="other")
    fillers = []
    for node, free in free_cpu(box).items():
        filler = deployment("fill", node, replicas=1)
        filler["spec"]["template"]["spec"] |= {"nodeSelector": {"kubernetes.io/hostname": node}}
        resources = {"requests": {"cpu": f"{int(free * 1000) - 50}m"}}
        filler["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
        fillers.append(filler)
    create(box.api, namespace("fill", injected=False))
    for filler in fillers:
        create(box.api, filler)
    await_running(box.api, "fill", len(fillers))
    with watched(box) as seen:
        installed = box.run("install", *flags)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert "no node has room for one pod more, so one of its 3 pods goes first" in installed.stdout + installed.stderr
    assert min(sum(look[INGRESS]) for look in seen) >= 2
    assert gateway(box, INGRESS)["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert plan_of(box, flags)["mode"] == "none"
