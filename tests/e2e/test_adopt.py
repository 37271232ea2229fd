"""Meshes that others left: whose they are is said, they are taken over without a pod restarted, or refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from foreign import (
    CONTROLLER,
    HPA,
    OPERATORS,
    REVERTED_TO,
    apply_client_side,
    create,
    mesh_pods,
    operator_at_work,
    patch,
    put_operator,
    until,
)
from sandboxes import USER, Sandbox
from sohistio.adapters.kubernetes.foreign import OPERATOR_FINALIZER
from sohistio.adapters.kubernetes.record_store import read_record
from sohistio.adapters.releases.mirror import Mirror
from sohistio.adapters.releases.obtain import IstioctlSource, obtain_istioctl
from sohistio.istioctl import Istioctl
from sohistio.model.versions import Version
from sohistio.system.paths import cache_dir
from workloads import budget, deployment, namespace, path_of

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
PREVIOUS = ("--version", "1.30.5")
DEPLOYMENTS = "/apis/apps/v1/namespaces/istio-system/deployments"
BUDGETS = "/apis/policy/v1/namespaces/istio-system/poddisruptionbudgets"
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def plan_of(sandbox: Sandbox, *arguments: str) -> dict[str, Any]:
    planned = sandbox.run("plan", *LOCAL, *arguments, "--output", "json")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    return dict(json.loads(planned.stdout))


def got(sandbox: Sandbox, path: str) -> dict[str, Any]:
    found = sandbox.api.get(path)
    assert found is not None, path
    return found


def previous_istioctl(sandbox: Sandbox) -> Istioctl:
    source = IstioctlSource(cache=cache_dir(), mirror=Mirror.parse(sandbox.mirror), rebuilt=True)
    return obtain_istioctl(Version(1, 30, 5), source, lambda _: None)


def test_a_mesh_of_the_in_cluster_operator(sandbox: Sandbox) -> None:
    sandbox.with_mesh("1.30.5")
    sandbox.api.delete("/api/v1/namespaces/istio-system/configmaps/sohistio-record")
    put_operator(sandbox.api)
    with operator_at_work(sandbox.api):
        until(lambda: got(sandbox, HPA)["spec"]["maxReplicas"] == REVERTED_TO)
        pods = mesh_pods(sandbox.api)

        plan = plan_of(sandbox)
        reasons = " | ".join(plan["reasons"])
        assert "put there by Istio's in-cluster operator (Deployment istio-operator/istio-operator" in reasons
        assert "not in sohistio's record" in reasons
        assert plan["phases"][0]["name"] == "adopt"
        assert [step["id"] for step in plan["phases"][0]["steps"]] == ["adopt/stop-operator", "adopt/field-managers"]

        adopted = sandbox.run("adopt", *LOCAL)
        assert adopted.returncode == 0, adopted.stdout + adopted.stderr
        assert "adopted, Istio 1.30.5 is as it was" in adopted.stdout
        assert mesh_pods(sandbox.api) == pods
        assert got(sandbox, CONTROLLER)["spec"]["replicas"] == 0
        assert sandbox.api.items("/api/v1/namespaces/istio-operator/pods") == []
        held = got(sandbox, f"{OPERATORS}/example")
        assert held["metadata"]["finalizers"] == ["example.com/ours"], "only the operator's own finalizer goes"
        assert got(sandbox, HPA)["spec"]["maxReplicas"] == REVERTED_TO, "the mesh is as it was"
        record = read_record(sandbox.api)
        assert record is not None
        assert (record.current, [run.mode for run in record.runs]) == (None, ["adopt"]), "it differs from the manifest"

        before = sandbox.writes()
        again = sandbox.run("adopt", *LOCAL)
        assert (again.returncode, "nothing to adopt" in again.stdout) == (0, True), again.stdout + again.stderr
        assert sandbox.writes() == before

        drift = plan_of(sandbox, *PREVIOUS)
        fields = {field["path"] for change in drift["changes"]["objects"] for field in change["fields"]}
        assert (drift["mode"], fields) == ("reinstall", {"spec.maxReplicas"})

        upgraded = sandbox.run("install", *LOCAL)
        assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
        time.sleep(0.5)
        assert got(sandbox, HPA)["spec"]["maxReplicas"] == 10, "nobody reverts it"
    finalizers = got(sandbox, f"{OPERATORS}/example")["metadata"].get("finalizers", [])
    assert OPERATOR_FINALIZER not in finalizers


def add_variable(obj: dict[str, Any]) -> None:
    """Beyond the manifest: an environment variable, and replicas beside an autoscaler."""
    obj["spec"]["replicas"] = 3
    obj["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "BY_HAND", "value": "yes"})


def add_label(obj: dict[str, Any]) -> None:
    obj["metadata"]["labels"]["team"] = "network"


def test_a_mesh_applied_client_side(empty_sandbox: Sandbox) -> None:
    sandbox, api = empty_sandbox, empty_sandbox.api
    edits: dict[str, Callable[[dict[str, Any]], None] | None] = {
        "Deployment/istiod": add_variable,
        "Service/istio-ingressgateway": add_label,
        "PodDisruptionBudget/istio-egressgateway": None,
    }
    apply_client_side(sandbox, previous_istioctl(sandbox), "1.30.5", edits)
    for name in ("ingress", "egress"):
        selector = {"istio": f"{name}gateway"}
        create(api, budget("istio-system", f"{name}-by-hand", minimum=1, selector=selector))
    noted = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: "2026-01-01T00:00:00Z"}}}}}
    api.merge_patch(f"{DEPLOYMENTS}/istio-egressgateway", {"spec": {"paused": True}})
    patch(api, f"{DEPLOYMENTS}/istio-egressgateway", noted, "kubectl-rollout")
    pods = mesh_pods(api)
    hidden = plan_of(sandbox, *PREVIOUS)
    reasons = " | ".join(hidden["reasons"])
    assert "applied client-side by kubectl (field manager kubectl-client-side-apply of " in reasons
    fields = {(c["name"], f["path"]) for c in hidden["changes"]["objects"] for f in c["fields"]}
    assert ("istiod", "spec.template.spec.containers[discovery].env[BY_HAND]") in fields
    assert ("istio-ingressgateway", "metadata.labels.team") in fields
    assert not any("replicas" in path or RESTARTED in path for _, path in fields), fields

    adopted = sandbox.run("adopt", *LOCAL)
    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    assert mesh_pods(api) == pods
    assert {item["metadata"]["name"] for item in api.items(BUDGETS)} == {
        "egress-by-hand",
        "istio-ingressgateway",
        "istiod",
    }
    istiod = got(sandbox, f"{DEPLOYMENTS}/istiod")
    managers = {(e["manager"], e["operation"]) for e in istiod["metadata"]["managedFields"] if "subresource" not in e}
    assert managers == {("istio-operator", "Apply")}
    assert "annotations" not in got(sandbox, f"{BUDGETS}/istiod")["metadata"]
    visible = plan_of(sandbox, *PREVIOUS)
    after = {(c["name"], f["path"]) for c in visible["changes"]["objects"] for f in c["fields"]}
    assert after == fields, "what the first plan foretold is what a dry run shows now"

    api.merge_patch(f"{DEPLOYMENTS}/istio-egressgateway", {"spec": {"paused": False}})
    upgraded = sandbox.run("install", *LOCAL)
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    istiod = got(sandbox, f"{DEPLOYMENTS}/istiod")
    names = [item["name"] for item in istiod["spec"]["template"]["spec"]["containers"][0]["env"]]
    assert "BY_HAND" not in names
    assert istiod["spec"]["replicas"] == 3
    service = got(sandbox, "/api/v1/namespaces/istio-system/services/istio-ingressgateway")
    assert "team" not in service["metadata"]["labels"]
    assert {item["metadata"]["name"] for item in api.items(BUDGETS)} == {
        "istio-egressgateway",
        "istio-ingressgateway",
        "istiod",
    }
    egress = got(sandbox, f"{DEPLOYMENTS}/istio-egressgateway")
    assert egress["spec"]["template"]["metadata"]["annotations"][RESTARTED] == "2026-01-01T00:00:00Z"


def istiod(place: str, name: str = "istiod", *, revision: str = "default") -> dict[str, Any]:
    item = deployment(place, name)
    item["metadata"]["labels"] = {"app": "istiod", "istio.io/rev": revision}
    item["spec"]["template"]["spec"]["containers"] = [{"name": "discovery", "image": "docker.io/istio/pilot:1.30.5"}]
    return item


def test_meshes_that_are_left_alone(empty_sandbox: Sandbox) -> None:
    sandbox, api = empty_sandbox, empty_sandbox.api
    create(api, namespace("istio-system", injected=False))
    create(api, namespace("aks-istio-system", injected=False))
    of_helm = istiod("istio-system")
    of_helm["metadata"]["annotations"] = {"meta.helm.sh/release-name": "istiod"}
    cases = {
        "(revision 1-30-5) is another control plane": (
            [istiod("istio-system"), istiod("istio-system", "istiod-1-30-5", revision="1-30-5")],
            "istioctl uninstall --revision",
        ),
        "is the managed add-on of AKS": (
            [istiod("aks-istio-system", "istiod-asm-1-27", revision="asm-1-27")],
            "az aks mesh",
        ),
        "Helm release istiod owns a mesh": ([of_helm], "docs/adopt.md"),
    }
    for reason, (objects, hint) in cases.items():
        for obj in objects:
            create(api, obj)
        before = sandbox.writes(USER)
        for command in ("install", "adopt"):
            refused = sandbox.run(command, *LOCAL)
            assert refused.returncode == 3, refused.stdout + refused.stderr
            assert reason in refused.stderr, refused.stderr
            assert hint in refused.stderr
        assert sandbox.writes(USER) == before, reason
        for obj in objects:
            api.delete(path_of(obj))
        until(lambda: not api.items("/apis/apps/v1/deployments"))
