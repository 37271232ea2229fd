"""Drift on a real cluster: quiet where nothing differs, by name where somebody edited, and the server's own no."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandboxes import Sandbox
from sohistio.adapters.kubernetes.api import KubeError
from startable import pods_start
from workloads import apply, namespace

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
SYSTEM = "namespaces/istio-system"
HPA = f"/apis/autoscaling/v2/{SYSTEM}/horizontalpodautoscalers/istiod"
ISTIOD = f"/apis/apps/v1/{SYSTEM}/deployments/istiod"
MESH = f"/api/v1/{SYSTEM}/configmaps/istio"
INJECTOR = f"/api/v1/{SYSTEM}/configmaps/istio-sidecar-injector"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


@pytest.fixture(scope="module")
def emptied(sandbox: Sandbox) -> Sandbox:
    """Without a mesh, until the first story that takes `meshed`."""
    sandbox.reset()
    return sandbox


@pytest.fixture(scope="module")
def meshed(emptied: Sandbox) -> Sandbox:
    emptied.with_mesh()
    return emptied


def edit(box: Sandbox, path: str, patch: dict[str, Any], manager: str, content_type: str = MERGE) -> None:
    """As somebody else's tool does it."""
    box.api.request("PATCH", path, query={"fieldManager": manager}, body=patch, content_type=content_type)


def live(box: Sandbox, path: str) -> dict[str, Any]:
    found = box.api.get(path)
    assert found is not None
    return found


def mode(box: Sandbox, *arguments: str) -> str:
    done = box.run("plan", *arguments, "--output", "json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["mode"])


def refused(box: Sandbox, *words: str) -> None:
    """plan and install say what the server said, and nothing is written."""
    before = box.writes()
    for command in ("plan", "install"):
        done = box.run(command, *LOCAL, *(("--yes",) if command == "install" else ()))
        assert done.returncode == 3, done.stdout + done.stderr
        assert all(word in done.stderr for word in words), done.stderr
        assert "Traceback" not in done.stderr
    assert box.writes() == before


def test_a_quota_that_is_used_up_is_said_by_the_plan(emptied: Sandbox) -> None:
    """The namespace is there, with a quota that leaves no room: asked before anything is made."""
    box = emptied
    box.api.create(
        "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}}
    )
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "nothing", "namespace": "istio-system"},
        "spec": {"hard": {"count/deployments.apps": "0"}},
    }
    path = f"/api/v1/{SYSTEM}/resourcequotas"
    box.api.create(path, quota)
    for _ in range(100):  # the quota counts once its controller has written its status
        if (live(box, f"{path}/nothing").get("status") or {}).get("hard"):
            break
    try:
        refused(box, "the API server would deny 3 objects of the manifest", "exceeded quota: nothing")
    finally:
        box.api.delete(f"{path}/nothing")


@pytest.mark.parametrize(
    ("environment", "version"),
    [("dev", "1.29.8"), pytest.param("qa", "1.30.5", marks=pytest.mark.bench), ("dr", "1.31.1")],
)
def test_a_plan_right_after_an_install_is_quiet(meshed: Sandbox, environment: str, version: str) -> None:
    """Installed with istioctl itself: nothing that istioctl, istiod or an autoscaler adds is a difference."""
    # One cluster for three environments is not what anybody has: without this, the second one is refused.
    meshed.api.delete("/api/v1/namespaces/istio-system/configmaps/sohistio-record")
    where = ("--env", environment, "--context", meshed.context, "--version", version)
    done = meshed.run("install", *where, "--mode", "reinstall", "--yes", "--confirm", environment)
    assert done.returncode == 0, done.stdout + done.stderr
    webhook = live(meshed, f"{ADMISSION}/validatingwebhookconfigurations/istio-validator-istio-system")["webhooks"][0]
    assert webhook["clientConfig"]["caBundle"], "istiod has written its certificate"
    assert mode(meshed, *where) == "none"
    before = meshed.writes()
    assert meshed.run("install", *where).returncode == 0
    assert meshed.writes() == before


@pytest.fixture
def in_sync(meshed: Sandbox) -> Sandbox:
    """With the mesh of `local` as its environment has it."""
    if mode(meshed, *LOCAL) != "none":
        done = meshed.run("install", *LOCAL, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
    return meshed


def test_what_others_add_is_quiet(in_sync: Sandbox) -> None:
    """AKS's selectors, an autoscaler's replicas, an annotation of a tool, a comment in the mesh's YAML."""
    added = [
        {"key": "control-plane", "operator": "DoesNotExist"},
        {"key": "kubernetes.azure.com/managedby", "operator": "NotIn", "values": ["aks"]},
    ]
    for kind in (
        "mutatingwebhookconfigurations/istio-sidecar-injector",
        "validatingwebhookconfigurations/istio-validator-istio-system",
    ):
        path = f"{ADMISSION}/{kind}"
        webhooks = live(in_sync, path)["webhooks"]
        for webhook in webhooks:
            selector = webhook.setdefault("namespaceSelector", {})
            selector["matchExpressions"] = [*selector.get("matchExpressions", ()), *added]
        edit(in_sync, path, {"webhooks": webhooks}, "aks-admissions-enforcer")
    edit(in_sync, ISTIOD, {"spec": {"replicas": 5}}, "kube-controller-manager")
    edit(in_sync, ISTIOD, {"metadata": {"annotations": {"tool/seen": "yes"}}}, "some-tool")
    edit(in_sync, MESH, {"data": {"mesh": "# a comment\n" + live(in_sync, MESH)["data"]["mesh"]}}, "kubectl-edit")
    assert mode(in_sync, *LOCAL) == "none"


def test_hand_edits_are_named_with_who_made_them(in_sync: Sandbox) -> None:
    edit(in_sync, HPA, {"spec": {"maxReplicas": 20}}, "kubectl-edit")
    mesh = live(in_sync, MESH)["data"]["mesh"] + "\naccessLogFile: /dev/stdout\n"
    edit(in_sync, MESH, {"data": {"mesh": mesh}}, "kubectl-edit")
    config = live(in_sync, INJECTOR)["data"]["config"].replace("runAsNonRoot: true", "runAsNonRoot: false", 1)
    edit(in_sync, INJECTOR, {"data": {"config": config}}, "some-tool")
    container = {"name": "discovery", "resources": {"limits": {"cpu": "3"}}}
    edit(in_sync, ISTIOD, {"spec": {"template": {"spec": {"containers": [container]}}}}, "rancher", STRATEGIC)
    gateway = f"/apis/policy/v1/{SYSTEM}/poddisruptionbudgets/istio-ingressgateway"
    edit(in_sync, gateway, {"spec": {"minAvailable": 1}}, "kubectl-patch")

    shown = in_sync.run("plan", *LOCAL).stdout
    assert "  istio-ingressgateway: 1 changed\n  istiod: 4 changed\n" in shown
    assert "spec.maxReplicas: 20 → 10 (set by kubectl-edit)" in shown
    assert "spec.minAvailable: 1 → 2 (set by kubectl-patch)" in shown
    assert "containers[discovery].resources.limits.cpu: 3 → 1 (set by rancher)" in shown
    assert "data.mesh.accessLogFile: /dev/stdout → (none) (set by kubectl-edit)" in shown
    assert "lines differ (set by some-tool)" in shown
    assert "runAsNonRoot" not in shown
    assert max(map(len, shown.splitlines())) < 300

    whole = in_sync.run("plan", *LOCAL, "--diff").stdout
    removed = next(number for number, line in enumerate(whole.splitlines()) if "-      runAsNonRoot: false" in line)
    assert "+      runAsNonRoot: true" in whole.splitlines()[removed + 1]

    document = json.loads(in_sync.run("plan", *LOCAL, "--output", "json").stdout)["changes"]
    assert {part["name"]: part["changed"] for part in document["components"]} == {
        "istio-ingressgateway": 1,
        "istiod": 4,
    }
    managers = {item["path"]: item["manager"] for change in document["objects"] for item in change["fields"]}
    assert managers["spec.maxReplicas"] == "kubectl-edit"
    assert set(managers.values()) == {"kubectl-edit", "kubectl-patch", "rancher", "some-tool"}

    assert in_sync.run("install", *LOCAL, "--yes").returncode == 0
    assert mode(in_sync, *LOCAL) == "none"
    assert live(in_sync, HPA)["spec"]["maxReplicas"] == 10


def test_a_pod_is_injected_once(in_sync: Sandbox) -> None:
    """An install that ended before its last step leaves the injector's own webhooks serving beside the tag's."""
    path = f"{ADMISSION}/mutatingwebhookconfigurations/istio-sidecar-injector"
    webhooks = live(in_sync, path)["webhooks"]
    for webhook in webhooks:
        webhook["objectSelector"] = {}
    edit(in_sync, path, {"webhooks": webhooks}, "istio-operator")
    shown = in_sync.run("plan", *LOCAL, "--diff").stdout
    assert "webhooks: serve, and so does istio-revision-tag-default → parked" in shown
    assert in_sync.run("install", *LOCAL, "--yes").returncode == 0
    tag = f"{ADMISSION}/mutatingwebhookconfigurations/istio-revision-tag-default"
    in_sync.api.delete(tag)
    assert "there is no istio-revision-tag-default" in in_sync.run("plan", *LOCAL, "--diff").stdout
    assert in_sync.run("install", *LOCAL, "--yes").returncode == 0
    assert live(in_sync, tag)["webhooks"]
    assert mode(in_sync, *LOCAL) == "none"


def test_a_tag_that_leads_nowhere_is_pointed_to_istiod_before_all_else(in_sync: Sandbox) -> None:
    """Left by a revision that is gone (istio/istio#60596): no pod starts. The mesh itself differs in nothing."""
    box, tag = in_sync, f"{ADMISSION}/mutatingwebhookconfigurations/istio-revision-tag-default"
    apply(box.api, namespace("tagged"))
    webhooks = live(box, tag)["webhooks"]
    for webhook in webhooks:
        webhook["clientConfig"]["service"]["name"] = "istiod-1-20"
    edit(box, tag, {"webhooks": webhooks}, "kubectl-edit")
    with pytest.raises(KubeError, match="answered 500"):
        pods_start(box.api, "tagged")
    for command, code in (("check", 0), ("verify", 5)):
        done = box.run(command, *LOCAL)
        assert done.returncode == code, done.stdout + done.stderr
        assert "calls Service istio-system/istiod-1-20, which does not exist: no pod can be created" in done.stdout
    planned = json.loads(box.run("plan", *LOCAL, "--output", "json").stdout)
    steps = [step["id"] for phase in planned["phases"] for step in phase["steps"]]
    assert (planned["mode"], steps) == ("none", ["webhooks/repair", "verify/mesh"])
    assert "webhooks that no istiod answers" in box.run("status", *LOCAL).stdout
    done = box.run("install", *LOCAL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "point istio-revision-tag-default to the istiod that is there" in done.stdout
    pods_start(box.api, "tagged")
    assert mode(box, *LOCAL) == "none"


def test_an_admission_policy_that_denies_is_said_by_the_plan(in_sync: Sandbox) -> None:
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "small-autoscalers"},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["autoscaling"],
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["horizontalpodautoscalers"],
                    }
                ]
            },
            "validations": [
                {"expression": "object.spec.maxReplicas <= 5", "message": "at most five, says the platform"}
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "small-autoscalers"},
        "spec": {"policyName": "small-autoscalers", "validationActions": ["Deny"]},
    }
    paths = [f"{ADMISSION}/validatingadmissionpolicies", f"{ADMISSION}/validatingadmissionpolicybindings"]
    for path, obj in zip(paths, (policy, binding), strict=True):
        in_sync.api.create(path, obj)
    edit(in_sync, MESH, {"data": {"meshNetworks": "networks: {a: {}}"}}, "kubectl-edit")
    try:
        for _ in range(40):  # the API server compiles a policy a moment after it is there
            if in_sync.run("plan", *LOCAL).returncode:
                break
        refused(
            in_sync,
            "the API server would deny 3 objects of the manifest",
            "HorizontalPodAutoscaler istio-system/istiod: ",
            "at most five, says the platform",
        )
    finally:
        for path in reversed(paths):
            in_sync.api.delete(f"{path}/small-autoscalers")
        edit(in_sync, MESH, {"data": {"meshNetworks": "networks: {}"}}, "kubectl-edit")


def test_an_edit_that_the_manifest_does_not_go_with_is_to_be_undone(in_sync: Sandbox) -> None:
    budget = f"/apis/policy/v1/{SYSTEM}/poddisruptionbudgets/istiod"
    kept, strategy = live(in_sync, budget)["spec"]["minAvailable"], live(in_sync, ISTIOD)["spec"]["strategy"]
    edit(in_sync, budget, {"spec": {"maxUnavailable": 1, "minAvailable": None}}, "kubectl-edit")
    edit(in_sync, ISTIOD, {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}, "kubectl-edit")
    try:
        refused(
            in_sync,
            "the API server would deny 2 objects of the manifest",
            "What the manifest sets in Deployment istio-system/istiod, PodDisruptionBudget istio-system/istiod is not",
            "undo that edit (kubectl edit)",
        )
    finally:
        edit(in_sync, budget, {"spec": {"maxUnavailable": None, "minAvailable": kept}}, "kubectl-edit")
        edit(in_sync, ISTIOD, {"spec": {"strategy": strategy}}, "kubectl-edit")
    assert mode(in_sync, *LOCAL) == "none"
