"""The main job, as a user types it: install, nothing to do, upgrade, downgrade refused, standby, drift, repair."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from killing import await_step, meanwhile, sidecars
from sandboxes import Sandbox
from workloads import apply, await_running, deployment, namespace, pause, pods_of

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
REWRITTEN = "mirror.corp/istio/proxyv2:1.31.1"
PREVIOUS = ("--version", "1.30.5")
# Of a run that finds nothing to do, however many namespaces there are (issue 17): 22, and 1 with the Gateway API.
IN_SYNC_REQUESTS = 23


def gateway(sandbox: Sandbox, name: str = "istio-ingressgateway") -> dict[str, Any]:
    found = sandbox.api.get(f"/apis/apps/v1/namespaces/istio-system/deployments/{name}")
    assert found is not None
    return found


def proxies(sandbox: Sandbox, name: str) -> dict[str, set[str]]:
    """The proxy images of a namespace's running pods, by the pods' label app."""
    found: dict[str, set[str]] = {}
    for pod in sandbox.api.items(f"/api/v1/namespaces/{name}/pods"):
        if "deletionTimestamp" not in pod["metadata"]:
            containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
            images = {c["image"] for c in containers if c["name"] == "istio-proxy"}
            found.setdefault(pod["metadata"]["labels"]["app"], set()).update(images)
    return found


def say(document: dict[str, Any]) -> list[str]:
    """The warnings about sidecars in a run's result, or a verification."""
    found = [check for check in document["checks"] if check["name"] == "sidecars-current"]
    return [check["message"] for check in found if (check["severity"], check["result"]) == ("warning", "failed")]


def label_in_a_run(sandbox: Sandbox, place: str) -> None:
    """Somebody labels a namespace while istioctl is at work."""
    await_step(sandbox, "control-plane/install")
    query, body = {"fieldManager": "kubectl-label"}, {"metadata": {"labels": {"istio-injection": "enabled"}}}
    kind = "application/merge-patch+json"
    sandbox.api.request("PATCH", f"/api/v1/namespaces/{place}", query=query, body=body, content_type=kind)


def rewrite_images(sandbox: Sandbox, place: str) -> None:
    """What a policy engine does to new pods: the same proxy, from another registry."""
    for pod in pods_of(sandbox.api, place):
        containers = [c | {"image": REWRITTEN} for c in pod["spec"]["initContainers"] if c["name"] == "istio-proxy"]
        spec = {
            "initContainers": [*(c for c in pod["spec"]["initContainers"] if c["name"] != "istio-proxy"), *containers]
        }
        sandbox.api.merge_patch(f"/api/v1/namespaces/{place}/pods/{pod['metadata']['name']}", {"spec": spec})


def test_install_then_nothing_then_upgrade(empty_sandbox: Sandbox, istioctl: Path) -> None:
    sandbox = empty_sandbox

    planned = sandbox.run("plan", *LOCAL, *PREVIOUS)
    assert planned.returncode == 0, planned.stderr
    assert "no mesh" in planned.stdout
    assert sandbox.writes() == [], "a plan writes nothing"

    first = sandbox.run("install", *LOCAL, *PREVIOUS)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Istio 1.30.5 is in place and verified" in first.stdout
    assert gateway(sandbox)["status"]["readyReplicas"] == 3
    service = sandbox.api.get("/api/v1/namespaces/istio-system/services/istio-ingressgateway")
    assert service is not None
    assert service["status"]["loadBalancer"]["ingress"][0]["ip"] == "127.147.0.10"

    before, requests = sandbox.writes(), sandbox.requests()
    again = sandbox.run("install", *LOCAL, *PREVIOUS)
    assert (again.returncode, "up to date, nothing was written" in again.stdout) == (0, True), again.stdout
    assert sandbox.requests() - requests <= IN_SYNC_REQUESTS
    assert sandbox.writes() == before, "a run in sync writes nothing"

    apply(sandbox.api, namespace("shop"))
    apply(sandbox.api, namespace("plain", injected=False))
    apply(sandbox.api, deployment("shop", "web"))
    apply(sandbox.api, deployment("shop", "legacy", labels={"sidecar.istio.io/inject": "false"}))
    frozen = deployment("shop", "frozen")
    apply(sandbox.api, frozen)
    apply(sandbox.api, deployment("shop", "sleeping", replicas=0))
    apply(sandbox.api, deployment("plain", "outside"))
    own = deployment("shop", "own", replicas=1)
    own["spec"]["template"]["spec"]["containers"].append({"name": "istio-proxy", "image": "corp/proxyv2:7"})
    apply(sandbox.api, own)
    apply(sandbox.api, deployment("plain", "opted-in", replicas=1, labels={"sidecar.istio.io/inject": "true"}))
    flags = ("--kubeconfig", str(sandbox.kubeconfig), "--context", sandbox.context)
    subprocess.run([str(istioctl), "tag", "set", "stable", "--revision", "default", *flags], check=True)
    tagged = namespace("tagged", injected=False)
    tagged["metadata"]["labels"] = {"istio.io/rev": "stable"}
    apply(sandbox.api, tagged)
    apply(sandbox.api, deployment("tagged", "web", replicas=1))
    apply(sandbox.api, namespace("late", injected=False))
    for name in "abc":
        apply(sandbox.api, deployment("late", name, replicas=1))
    for place, count in {"shop": 7, "plain": 3, "tagged": 1, "late": 3}.items():
        await_running(sandbox.api, place, count)
    pause(sandbox.api, frozen)
    pods_before = {p["metadata"]["name"] for p in pods_of(sandbox.api, "plain", "outside")}
    assert proxies(sandbox, "shop")["web"] == {"docker.io/istio/proxyv2:1.30.5"}

    pending = sandbox.run("plan", *LOCAL, "--output", "json", "--exit-code")
    assert pending.returncode == 4
    plan = json.loads(pending.stdout)
    assert (plan["mode"], plan["installedVersion"], plan["targetVersion"]) == ("upgrade", "1.30.5", "1.31.1")
    restart = next(step for phase in plan["phases"] for step in phase["steps"] if step["id"] == "sidecars/restart")
    assert [(item["namespace"], item["name"]) for item in restart["workloads"]] == [
        ("plain", "opted-in"),
        ("shop", "web"),
        ("tagged", "web"),
    ]
    left = {item["name"]: item["reason"] for item in restart["leftAlone"]}
    assert left.keys() == {"legacy", "frozen", "sleeping", "own"}
    own_image = "its own template has the proxy image corp/proxyv2:7, the mesh's is docker.io/istio/proxyv2:1.31.1"
    assert left["own"] == own_image

    with meanwhile(lambda: label_in_a_run(sandbox, "late")):
        upgraded = sandbox.run("install", *LOCAL, "--output", "json")
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    result = json.loads(upgraded.stdout)
    assert result["outcome"] == "done"
    assert {step["state"] for step in result["steps"]} == {"done"}
    assert "ca-unchanged" in {check["name"] for check in result["checks"] if check["result"] == "passed"}
    found = proxies(sandbox, "shop")
    assert found == {
        "web": {"docker.io/istio/proxyv2:1.31.1"},
        "legacy": set(),
        "frozen": {"docker.io/istio/proxyv2:1.30.5"},
        "own": {"corp/proxyv2:7"},
    }
    assert {p["metadata"]["name"] for p in pods_of(sandbox.api, "plain", "outside")} == pods_before
    assert sidecars(sandbox, ("tagged",)) == {"1.31.1"}
    assert proxies(sandbox, "plain")["opted-in"] == {"docker.io/istio/proxyv2:1.31.1"}
    more = "3 more Deployments need a restart that this plan did not have: "
    assert more + "Deployment late/a, Deployment late/b, Deployment late/c" in say(result)
    assert more in upgraded.stderr
    assert sidecars(sandbox, ("late",)) == {"none"}

    restarted = sandbox.run("restart", *LOCAL)
    assert restarted.returncode == 0, restarted.stdout + restarted.stderr
    assert "restart 3 workloads" in restarted.stdout
    assert sidecars(sandbox, ("late",)) == {"1.31.1"}
    rewrite_images(sandbox, "late")

    before = sandbox.writes()
    assert sandbox.run("install", *LOCAL).returncode == 0
    assert sandbox.writes() == before

    refused = sandbox.run("install", *LOCAL, *PREVIOUS)
    assert refused.returncode == 3
    assert "a downgrade needs --mode reinstall" in refused.stderr
    assert sandbox.writes() == before

    assert sandbox.run("restart", *LOCAL).returncode == 0
    assert sandbox.writes() == before, "restarted for this image already: its new pods have another by somebody's will"
    history = json.loads(sandbox.run("history", *LOCAL, "--output", "json").stdout)
    assert [run["mode"] for run in history["runs"]][:2] == ["install", "upgrade"], "a restart keeps the record"

    verified = sandbox.run("verify", *LOCAL, "--output", "json")
    assert verified.returncode == 0
    assert json.loads(verified.stdout)["result"] == "passed"
    assert f"Deployment shop/own: {own_image}" in say(json.loads(verified.stdout))
    names = ", ".join(f"Deployment late/{name}" for name in "abc")
    rewritten = f"{names}: its pods run {REWRITTEN}, although they were to get "
    assert any(message.startswith(rewritten) for message in say(json.loads(verified.stdout)))


def test_the_standby_keeps_its_gateways_off(empty_sandbox: Sandbox) -> None:
    done = empty_sandbox.run("install", "--env", "dr", "--context", empty_sandbox.context)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("istio-ingressgateway", "istio-egressgateway"):
        item = gateway(empty_sandbox, name)
        assert item["spec"]["replicas"] == 0
        assert not item["status"].get("replicas")
    istiod = gateway(empty_sandbox, "istiod")
    assert (istiod["spec"]["replicas"], istiod["status"]["readyReplicas"]) == (3, 3)
    hpa = empty_sandbox.api.get(
        "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istio-ingressgateway"
    )
    assert hpa is not None
    assert (hpa["spec"]["minReplicas"], hpa["spec"]["maxReplicas"]) == (3, 10)

    path = "/apis/apps/v1/namespaces/istio-system/deployments/istio-ingressgateway"
    empty_sandbox.api.merge_patch(path, {"spec": {"replicas": 3}})
    awake = empty_sandbox.run("verify", "--env", "dr", "--context", empty_sandbox.context)
    assert awake.returncode == 5
    assert "pods in a standby" in awake.stdout

    # What serves may be a failover that nobody recorded: it is left alone, and `verify` goes on warning of it.
    await_ready(empty_sandbox)
    left = empty_sandbox.run("install", "--env", "dr", "--context", empty_sandbox.context)
    assert left.returncode == 0, left.stdout + left.stderr
    assert "the gateways stay on: gateways of dr serve: istio-ingressgateway" in left.stdout
    assert gateway(empty_sandbox)["spec"]["replicas"] == 3
    assert empty_sandbox.run("verify", "--env", "dr", "--context", empty_sandbox.context).returncode == 5


def await_ready(sandbox: Sandbox) -> None:
    deadline = time.monotonic() + 60
    while gateway(sandbox)["status"].get("readyReplicas") != 3:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_mesh_two_minors_behind_is_replaced_only_when_approved(sandbox: Sandbox) -> None:
    sandbox.with_mesh("1.29.8")
    path = "/api/v1/namespaces/istio-system/services/istio-ingressgateway"
    service = sandbox.api.get(path)
    assert service is not None

    before = sandbox.writes()
    refused = sandbox.run("install", *LOCAL)
    assert refused.returncode == 3
    assert "nobody approved it" in refused.stderr
    assert sandbox.writes() == before

    done = sandbox.run("install", *LOCAL, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    kept = sandbox.api.get(path)
    assert kept is not None
    assert kept["metadata"]["uid"] == service["metadata"]["uid"]
    assert kept["status"] == service["status"]
    assert "ca-unchanged" in done.stdout


def test_drift_is_found_named_and_mended(sandbox: Sandbox) -> None:
    """On the mesh of the story before."""
    assert sandbox.run("install", *LOCAL, "--yes").returncode == 0
    hpas = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"
    sandbox.api.merge_patch(hpas, {"spec": {"maxReplicas": 20}})

    planned = sandbox.run("plan", *LOCAL)
    assert "spec.maxReplicas: 20 → 10" in planned.stdout
    assert "re-applied: nothing is uninstalled" in planned.stdout

    mended = sandbox.run("install", *LOCAL)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    live = sandbox.api.get(hpas)
    assert live is not None
    assert live["spec"]["maxReplicas"] == 10

    sandbox.api.request("DELETE", "/apis/apps/v1/namespaces/istio-system/deployments/istiod")
    half = sandbox.run("plan", *LOCAL)
    assert "half a mesh" in half.stdout
    repaired = sandbox.run("install", *LOCAL)
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr


def test_render_gives_what_istioctl_takes(sandbox: Sandbox, istioctl: Path) -> None:
    rendered = sandbox.run("render", "--env", "dr")
    assert yaml.safe_load(rendered.stdout)["kind"] == "IstioOperator"
    generated = subprocess.run(
        [str(istioctl), "manifest", "generate", "-f", "-"],
        input=rendered.stdout,
        capture_output=True,
        text=True,
        check=True,
    )
    objects = [item for item in yaml.safe_load_all(generated.stdout) if item]
    replicas = {
        item["metadata"]["name"]: item["spec"].get("replicas") for item in objects if item["kind"] == "Deployment"
    }
    assert replicas == {"istiod": None, "istio-ingressgateway": 0, "istio-egressgateway": 0}
