"""Gateways: what moves or exposes one needs a yes, and one may live in a namespace of its own, and move there."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from killing import killed_once, last_run
from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.rollout import progress_of
from sohistio.model.state import ObjectRef
from workloads import apply, namespace

pytestmark = pytest.mark.e2e

NAME, EGRESS = "istio-ingressgateway", "istio-egressgateway"
HOME_PLACE = ("istio-system", NAME)
HOME, EDGE = (ObjectRef("Service", place, NAME) for place in ("istio-system", "edge"))
ADDRESS, OTHER = "127.147.0.10", "127.147.0.11"
INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
COMPONENT, MARK = "operator.istio.io/component", "sohistio/kept-gateway"
KINDS = ("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget")


def environments(folder: Path, *, address: str = ADDRESS, lean: bool = False, **gateway: Any) -> tuple[str, ...]:
    """The flag that chooses them; `local` and `dr` have the ingress gateway as told.

    Lean ones have no egress gateway, and no autoscaler of the ingress gateway.
    """
    copy = shutil.copytree(CHECKOUT / "environments", folder / f"environments-{len(list(folder.iterdir()))}")
    file = copy / "local" / "environment.yaml"
    file.write_text(file.read_text().replace(ADDRESS, address))
    overlay: dict[str, Any] = {"spec": {"components": {"ingressGateways": [{"name": NAME, **gateway}]}}}
    if lean:
        overlay["spec"]["components"]["egressGateways"] = [{"name": EGRESS, "enabled": False}]
        overlay["spec"]["values"] = {"gateways": {NAME: {"autoscaleEnabled": False}}}
    for name in ("local", "dr"):
        (copy / name / "istiooperator.yaml").write_text(yaml.safe_dump(overlay))
    return ("--environments", str(copy))


def has(sandbox: Sandbox, ref: ObjectRef) -> list[str]:
    found = sandbox.api.get(path_of(ref)) or {"status": {}}
    return [entry["ip"] for entry in found["status"].get("loadBalancer", {}).get("ingress", ())]


def test_gateways_move_only_with_a_yes(sandbox: Sandbox, tmp_path: Path) -> None:
    local = ("--env", "local")
    sandbox.with_mesh("1.30.5")

    # another address, and a public load balancer: told first, refused where nobody is there to ask
    moved = environments(tmp_path, address=OTHER)
    words = f"moves {NAME} from {ADDRESS} to {OTHER}"
    planned = sandbox.run("plan", *local, *moved)
    assert planned.stdout.startswith(f"This plan {words}.\n")
    before = sandbox.writes()
    refused = sandbox.run("install", *local, *moved)
    assert (refused.returncode, f"this plan {words}, and nobody approved it" in refused.stderr) == (3, True)
    public = environments(tmp_path, k8s={"serviceAnnotations": {INTERNAL: "false"}})
    exposed = sandbox.run("install", *local, *public)
    assert exposed.returncode == 3
    assert f"makes the internal load balancer of {NAME} public" in exposed.stderr
    assert sandbox.writes() == before
    checked = json.loads(sandbox.run("check", *local, *moved, "--output", "json").stdout)
    address = next(check for check in checked["checks"] if check["name"] == "gateway-address")
    assert address["message"] == f"{NAME} serves on {ADDRESS} now; an install moves it to {OTHER}"

    # to a namespace of its own, with its address, in the course of an upgrade
    edge = environments(tmp_path, namespace="edge")
    nowhere = sandbox.run("install", *local, *edge, "--yes")
    assert (nowhere.returncode, f"namespace edge, where {NAME} is to be" in nowhere.stderr) == (3, True)
    apply(sandbox.api, namespace("edge"))  # injected: a gateway is no application all the same
    before = sandbox.writes()
    refused = sandbox.run("install", *local, *edge)
    assert (refused.returncode, f"hands {ADDRESS} over from {HOME} to {EDGE}" in refused.stderr) == (3, True)
    assert sandbox.writes() == before
    done = sandbox.run("install", *local, *edge, "--yes", "--rollback-on-failure", "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert "rollback" not in result
    assert f"edge/{NAME}" in result["gatewaySecondsWithoutReadyPod"]
    assert has(sandbox, EDGE) == [ADDRESS]
    for kind in KINDS:
        assert sandbox.api.get(path_of(ObjectRef(kind, "istio-system", NAME))) is None
    assert not (sandbox.api.get(path_of(EDGE)) or {})["metadata"]["annotations"].keys() - {
        INTERNAL,
        "service.beta.kubernetes.io/azure-load-balancer-ipv4",
    }, "nothing is left of the handover"
    assert sandbox.run("verify", *local, *edge).returncode == 0
    assert sandbox.run("plan", *local, *edge, "--exit-code").returncode == 0
    (row,) = json.loads(sandbox.run("status", *local, *edge, "--output", "json").stdout)["environments"]
    gateways = {(item["namespace"], item["name"]): item["ready"] for item in row["gateways"]}
    assert gateways == {("edge", NAME): 3, ("istio-system", "istio-egressgateway"): 3}

    # a standby's gateway that serves there is left alone
    standby = sandbox.run("plan", "--env", "dr", "--context", sandbox.context, *edge)
    assert f"the gateways stay on: gateways of dr serve: edge/{NAME}, istio-egressgateway" in " ".join(
        standby.stdout.split()
    )

    # and the way back knows where it was, by the record
    back = sandbox.run("rollback", *local, *edge)
    assert (back.returncode, f"hands {ADDRESS} over from {EDGE} to {HOME}" in back.stderr) == (3, True)
    back = sandbox.run("rollback", *local, *edge, "--yes")
    assert back.returncode == 0, back.stdout + back.stderr
    assert (has(sandbox, HOME), has(sandbox, EDGE)) == ([ADDRESS], [])
    for kind in KINDS:
        assert sandbox.api.get(path_of(ObjectRef(kind, "edge", NAME))) is None

    # the address itself, approved: it is awaited, then verified
    done = sandbox.run("install", *local, *moved, "--version", "1.30.5", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert has(sandbox, HOME) == [OTHER]


def test_what_a_killed_replace_left_is_not_forgotten(sandbox: Sandbox, tmp_path: Path) -> None:
    """Once istioctl's labels are off the gateways and the old control plane is gone, and the manifest changes then."""
    local = ("--env", "local")
    sandbox.with_mesh("1.29.8")
    apply(sandbox.api, namespace("edge"))

    def is_uninstalled() -> bool:
        run = last_run(sandbox)
        return run is not None and run.last_step == "control-plane/install"

    killed, said = killed_once(sandbox, is_uninstalled, "install", *local, "--mode", "reinstall", "--yes")
    assert killed, said
    half = sandbox.run("plan", *local)
    assert "half a mesh: no istiod, but" in half.stdout

    # what this manifest lacks is removed, and asked about: it serves
    lean = environments(tmp_path, lean=True)
    before = sandbox.writes()
    plan = json.loads(sandbox.run("plan", *local, *lean, "--output", "json").stdout)
    removed = {(item["kind"], item["name"]) for item in plan["changes"]["objects"] if item["action"] == "removed"}
    assert removed >= {(kind, EGRESS) for kind in KINDS} | {("HorizontalPodAutoscaler", NAME)}
    refused = sandbox.run("install", *local, *lean)
    assert (refused.returncode, EGRESS in refused.stderr) == (3, True), refused.stderr
    gone = sandbox.run("uninstall", *local)
    assert (gone.returncode, f"Service {NAME} goes: nothing answers at {ADDRESS}" in gone.stdout) == (3, True)
    assert sandbox.writes() == before

    # a gateway that moves meanwhile takes its address along
    edge = environments(tmp_path, namespace="edge")
    done = sandbox.run("install", *local, *edge, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (has(sandbox, EDGE), has(sandbox, HOME)) == ([ADDRESS], [])
    for kind in KINDS:
        assert sandbox.api.get(path_of(ObjectRef(kind, "istio-system", NAME))) is None
        labels = (sandbox.api.get(path_of(ObjectRef(kind, "istio-system", EGRESS))) or {})["metadata"]["labels"]
        assert (labels[COMPONENT], MARK in labels) == ("EgressGateways", False)
    assert sandbox.run("plan", *local, *edge, "--exit-code").returncode == 0


def test_a_gateway_of_another_version_than_istiod_does_not_verify(sandbox: Sandbox) -> None:
    """As a replacement that was interrupted leaves it."""
    local = ("--env", "local")
    sandbox.with_mesh()
    path = path_of(ObjectRef("Deployment", "istio-system", NAME))
    gateway = sandbox.api.get(path)
    assert gateway is not None
    (proxy,) = gateway["spec"]["template"]["spec"]["containers"]
    proxy["image"] = proxy["image"].replace("1.31.1", "1.29.8")
    sandbox.api.merge_patch(path, {"spec": {"template": {"spec": {"containers": [proxy]}}}})
    deadline = time.monotonic() + 60
    while not progress_of(sandbox.api.get(path) or {}).done:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    verified = sandbox.run("verify", *local, "--output", "json")
    assert verified.returncode == 5, verified.stderr
    failed = [check for check in json.loads(verified.stdout)["checks"] if check["result"] == "failed"]
    assert [check["name"] for check in failed] == ["gateway-proxies"]
    assert failed[0]["message"] == f"{NAME} runs proxies of 1.29.8, istiod is 1.31.1"
    assert sandbox.run("install", *local, "--yes").returncode == 0
    assert sandbox.run("verify", *local).returncode == 0


THEIRS = {
    "apiVersion": "install.istio.io/v1alpha1",
    "kind": "IstioOperator",
    "metadata": {"name": "other", "namespace": "other"},
    "spec": {
        "profile": "empty",
        "hub": "docker.io/istio",
        "tag": "1.31.1",
        "components": {"ingressGateways": [{"name": "other-gw", "namespace": "other", "enabled": True}]},
    },
}


def test_what_istioctl_prunes_is_only_what_the_plan_removes(sandbox: Sandbox, istioctl: Path, tmp_path: Path) -> None:
    """istioctl prunes in its install: neither another owner's gateway, nor one that is to hand its address over.

    On the mesh of the story before.
    """
    local = ("--env", "local")
    for place in ("edge", "other"):
        apply(sandbox.api, namespace(place))
    assert sandbox.run("install", *local, "--yes").returncode == 0
    earlier = len(sandbox.write_events())
    file = tmp_path / "other.yaml"
    file.write_text(yaml.safe_dump(THEIRS))
    where = ("--kubeconfig", str(sandbox.kubeconfig), "--context", sandbox.context)
    subprocess.run([istioctl, "install", "-y", "-f", file, *where], check=True, capture_output=True, timeout=120)
    theirs = ObjectRef("Deployment", "other", "other-gw")
    labels = (sandbox.api.get(path_of(theirs)) or {})["metadata"]["labels"]

    sandbox.api.delete(path_of(ObjectRef("PodDisruptionBudget", "istio-system", EGRESS)))
    again = sandbox.run("install", *local)
    assert again.returncode == 0, again.stdout + again.stderr
    assert (sandbox.api.get(path_of(theirs)) or {})["metadata"]["labels"] == labels

    # a move at the same version: the old gateway serves until the new one has as many pods
    sandbox.api.merge_patch(path_of(ObjectRef("Deployment", *HOME_PLACE)), {"spec": {"replicas": 5}})
    edge = environments(tmp_path, namespace="edge")
    moved = sandbox.run("install", *local, *edge, "--yes")
    assert moved.returncode == 0, moved.stdout + moved.stderr
    assert "wait for edge/istio-ingressgateway ≥ 5" in moved.stdout
    assert (has(sandbox, EDGE), has(sandbox, HOME)) == ([ADDRESS], [])
    for kind in KINDS:
        assert sandbox.api.get(path_of(ObjectRef(kind, *HOME_PLACE))) is None
    pruned = [
        event["requestURI"]
        for event in sandbox.write_events()[earlier:]
        if event["verb"] == "delete" and "istioctl" in event["userAgent"] and NAME in event["requestURI"]
    ]
    assert pruned == []
    assert (sandbox.api.get(path_of(theirs)) or {})["metadata"]["labels"] == labels
    assert sandbox.run("plan", *local, *edge, "--exit-code").returncode == 0
