"""The shipped roles: the reader sees everything and writes nothing, the installer does everything and nothing more."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from accounts import account, kubeconfig_for
from killing import last_run
from own_environments import own_environments
from sandboxes import CHECKOUT, Sandbox
from shop import await_true
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.model.kube_target import KubeTarget
from workloads import apply, await_running, deployment, namespace

pytestmark = pytest.mark.e2e

RBAC = "/apis/rbac.authorization.k8s.io/v1"
CA = "/api/v1/namespaces/istio-system/secrets/istio-ca-secret"
HPA = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"


@dataclass(frozen=True)
class User:
    """Somebody with one of the roles, as a service account."""

    box: Sandbox
    name: str
    kubeconfig: Path
    environment: tuple[str, ...]

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        where = (*self.environment, "--kubeconfig", str(self.kubeconfig), "--context", self.box.context)
        variables["SOHISTIO_ISTIO_MIRROR"] = self.box.mirror
        return self.box.run(*command, *where, cwd=CHECKOUT, **variables)

    @property
    def api(self) -> KubeApi:
        return KubeApi(KubeTarget(self.kubeconfig, self.box.context))

    @property
    def writes(self) -> list[str]:
        return self.box.writes(f"system:serviceaccount:default:{self.name}")

    def forbidden(self) -> set[str]:
        """The resources of requests that were answered with 403, from the audit log."""
        log = (self.box.folder / "audit.log").read_text(encoding="utf-8")
        events: list[dict[str, Any]] = [json.loads(line) for line in log.splitlines()]
        mine = [event for event in events if event["user"].get("username", "").endswith(f":{self.name}")]
        refs = [e.get("objectRef", {}) for e in mine if e.get("responseStatus", {}).get("code") == 403]
        return {"/".join(filter(None, (ref.get("resource"), ref.get("subresource")))) for ref in refs}


def _user(box: Sandbox, name: str, folder: Path) -> User:
    """The role's example bindings, with a service account in the place of the group."""
    for item in yaml.safe_load_all((CHECKOUT / "rbac" / f"{name}.yaml").read_text()):
        if item["kind"].endswith("Binding"):
            item["subjects"] = [{"kind": "ServiceAccount", "name": name, "namespace": "default"}]
        box.api.apply(box.api.path_of(item), item, "administrator", force=True)
    return User(box, name, kubeconfig_for(box, folder, account(box.api, name)), _environment(folder))


def _environment(folder: Path) -> tuple[str, ...]:
    """One whose pull Secrets are sohistio's business."""
    config = folder / "config.json"
    config.write_text(json.dumps({"auths": {"docker.io": {"username": "bob", "password": "hunter2"}}}))
    return own_environments(
        folder, istio={"pullSecret": "jfrogauth", "pullSecretSource": {"dockerConfig": str(config)}}
    )


@pytest.fixture(scope="module")
def users(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, User]:
    sandbox.reset()
    folder = tmp_path_factory.mktemp("users")
    return {name: _user(sandbox, name, folder) for name in ("reader", "installer")}


@pytest.fixture(scope="module")
def reader(users: dict[str, User]) -> User:
    return users["reader"]


@pytest.fixture(scope="module")
def installer(users: dict[str, User]) -> User:
    """The installer, after all of its work: install, upgrade with restarts, hand edits mended."""
    user = users["installer"]
    done = user.run("install", "--version", "1.30.5")
    assert done.returncode == 0, done.stdout + done.stderr
    apply(user.box.api, namespace("shop", injected=False))
    apply(user.box.api, deployment("shop", "web"))
    await_running(user.box.api, "shop", 2)
    upgraded = user.run("install", "--output", "json")
    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    steps = {step["id"]: step["state"] for step in json.loads(upgraded.stdout)["steps"]}
    for step in ("pull-secrets/write", "namespaces/label", "sidecars/restart"):
        assert steps[step] == "done"
    return user


def test_the_namespaces_role_prepares_a_cluster_and_may_do_nothing_more(users: dict[str, User], tmp_path: Path) -> None:
    box = users["reader"].box
    user = _user(box, "namespaces", tmp_path)
    apply(box.api, namespace("media", injected=False))
    refused = users["reader"].run("namespaces", "apply")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    done = user.run("namespaces", "apply", "--output", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [step["id"] for step in json.loads(done.stdout)["steps"]]
    assert steps == ["pull-secrets/write", "namespaces/label", "namespaces/verify"]
    assert user.forbidden() == set()
    body = {"metadata": {"name": "mine"}}
    for method, path, content in (
        ("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace"} | body),
        ("DELETE", "/api/v1/namespaces/media", None),
        ("GET", CA, None),
        ("POST", "/api/v1/namespaces/media/secrets", SECRET | body),
        ("DELETE", "/api/v1/namespaces/media/secrets/jfrogauth", None),
        ("POST", "/api/v1/namespaces/media/configmaps", {"apiVersion": "v1", "kind": "ConfigMap"} | body),
        ("DELETE", "/api/v1/namespaces/istio-system/configmaps/sohistio-record", None),
    ):
        with pytest.raises(KubeError) as caught:
            user.api.request(method, path, body=content)
        assert caught.value.status == 403, caught.value.details
    assert user.run("install", "--yes").returncode == 3


def test_the_installer_lacks_nothing(installer: User) -> None:
    for command in (("plan", "--exit-code"), ("verify",), ("history",), ("restart",)):
        done = installer.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    # istioctl asks istiod for its version through a port-forward, and goes on without an answer.
    assert installer.forbidden() <= {"pods/portforward"}


ADMIN_BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "ServiceAccount", "name": "installer", "namespace": "default"}],
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque"}
ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "mine"}, "rules": []}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/api/v1/namespaces/shop", None),
        ("DELETE", "/api/v1/namespaces/istio-system", None),
        ("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}}),
        ("GET", "/api/v1/namespaces/kube-system/secrets/any", None),
        ("GET", "/api/v1/namespaces/istio-system/secrets/another", None),
        ("PATCH", "/api/v1/namespaces/istio-system/secrets/istio-ca-secret", {"data": {}}),
        ("GET", "/api/v1/namespaces/shop/secrets/another", None),
        ("POST", "/api/v1/namespaces/shop/secrets", SECRET | {"metadata": {"name": "another"}}),
        ("PATCH", "/api/v1/namespaces/shop/secrets/another", {"data": {}}),
        ("DELETE", "/api/v1/namespaces/shop/secrets/jfrogauth", None),
        ("POST", f"{RBAC}/clusterrolebindings", ADMIN_BINDING | {"metadata": {"name": "mine"}}),
        ("PATCH", f"{RBAC}/clusterrolebindings/cluster-admin", {"subjects": []}),
        ("POST", f"{RBAC}/clusterroles", ROLE),
        ("PATCH", f"{RBAC}/clusterroles/cluster-admin", {"rules": []}),
        ("PATCH", f"{RBAC}/clusterroles/sohistio-installer", {"rules": []}),
        ("PATCH", f"{RBAC}/namespaces/istio-system/roles/sohistio-installer", {"rules": []}),
        ("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.networking.istio.io", None),
        ("DELETE", "/apis/apps/v1/namespaces/shop/deployments/web", None),
        ("PATCH", "/api/v1/namespaces/shop/services/any", {"spec": {}}),
        ("PATCH", "/api/v1/nodes/any", {"spec": {"unschedulable": True}}),
        ("DELETE", "/apis/networking.istio.io/v1/namespaces/shop/virtualservices/any", None),
        ("POST", "/api/v1/namespaces/istio-system/pods/any/exec", {}),
    ],
)
def test_the_installer_may_do_nothing_more(
    installer: User, method: str, path: str, body: dict[str, Any] | None
) -> None:
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    with pytest.raises(KubeError) as caught:
        installer.api.request(method, path, body=body, content_type=kind)
    assert caught.value.status == 403, caught.value.details


def test_nobody_is_bound_to_more_than_istios_own_roles(installer: User) -> None:
    """The names of Istio's bindings are the installer's to write, but not with another role in them."""
    name = "istiod-clusterrole-istio-system"
    body = ADMIN_BINDING | {"metadata": {"name": name}}
    installer.box.api.delete(f"{RBAC}/clusterrolebindings/{name}")
    try:
        with pytest.raises(KubeError) as caught:
            installer.api.apply(f"{RBAC}/clusterrolebindings/{name}", body, "installer")
    finally:
        assert installer.run("install", "--yes").returncode == 0, "what was taken away is put back"
    assert "cluster-admin" in caught.value.details[0] or "attempting to grant" in caught.value.details[0]


def test_the_reader_sees_all_and_writes_nothing(installer: User, reader: User) -> None:
    in_sync = reader.run("plan", "--exit-code")
    assert in_sync.returncode == 0, in_sync.stdout + in_sync.stderr
    assert "compared without a dry run" not in in_sync.stdout, "where nothing differs, none is asked for"
    assert "pull Secrets are not compared, and a run is refused" in in_sync.stdout

    verified = reader.run("verify", "--output", "json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    checks = {check["name"]: check for check in json.loads(verified.stdout)["checks"]}
    assert (checks["istioctl-analyze"]["result"], checks["istioctl-analyze"]["severity"]) == ("failed", "warning")
    assert "you lack permission to list and watch secrets" in checks["istioctl-analyze"]["message"]

    history = reader.run("history", "--output", "json")
    assert [run["outcome"] for run in json.loads(history.stdout)["runs"]][:2] == ["done", "done"]

    status = reader.run("status", "--output", "json")
    assert status.returncode == 0, status.stderr
    (row,) = json.loads(status.stdout)["environments"]
    assert (row["inSync"], row["installedVersion"], row["lock"]) == (True, "1.31.1", None)
    assert row["missing"] == []
    certificates = row["certificates"]
    assert (certificates["first"], certificates["unread"]) == ("CA O=cluster.local", ["the CA's own certificate"])
    assert certificates["daysLeft"] > 3000, "the root, which every namespace has"

    reader.box.api.merge_patch(HPA, {"spec": {"maxReplicas": 20}})
    drifted = json.loads(reader.run("plan", "--output", "json").stdout)
    asked = json.loads(installer.run("plan", "--output", "json").stdout)
    assert drifted["changes"] == asked["changes"], "the same as with a dry run"
    notice = "compared without a dry run: you lack permission to patch"
    assert any(notice in said for said in drifted["notices"]), drifted["notices"]

    looked = reader.run("check", "--output", "json")
    assert looked.returncode == 3, looked.stderr
    results = json.loads(looked.stdout)["checks"]
    failures = [check for check in results if (check["severity"], check["result"]) == ("error", "failed")]
    assert {check["name"] for check in failures} == {"permissions", "pull-secret"}, "the rest can be looked at"
    missing = [check["message"] for check in failures]
    assert "you lack permission to patch horizontalpodautoscalers.autoscaling in istio-system (" in "\n".join(missing)
    assert "you lack permission to list secrets" in missing
    warned = {check["name"]: check["message"] for check in results if check["severity"] == "warning"}
    assert "you lack permission to list and watch secrets" in warned["istioctl-analyze"]
    allowed = json.loads(installer.run("check", "--output", "json").stdout)
    assert allowed["result"] == "passed"
    assert [check["result"] for check in allowed["checks"] if check["name"] == "permissions"] == ["passed"]

    half_of_the_custom_resources_are_never_taken_for_all(installer)

    refused = reader.run("install", "--yes")
    assert refused.returncode == 3
    assert 'cannot get resource "secrets"' in refused.stderr
    assert "The role of rbac/installer.yaml has the right." in refused.stderr
    assert "Traceback" not in refused.stderr
    assert reader.writes == []


def half_of_the_custom_resources_are_never_taken_for_all(installer: User) -> None:
    """Who may not list one kind would miss it in backup and comparison: the run is refused, and says which."""
    path = f"{RBAC}/clusterroles/sohistio-reader"
    role = installer.box.api.get(path)
    assert role is not None
    kinds = ["virtualservices", "destinationrules", "gateways", "serviceentries", "sidecars", "workloadentries"]
    rules = [
        rule | {"apiGroups": [group for group in rule["apiGroups"] if group != "networking.istio.io"]}
        for rule in role["rules"]
    ]
    rules.append({"apiGroups": ["networking.istio.io"], "resources": kinds, "verbs": ["get", "list", "watch"]})
    writes = installer.writes
    installer.box.api.merge_patch(path, {"rules": rules})
    try:
        refused = installer.run("install", "--yes")
        uninstall = installer.run("uninstall", "--yes")
    finally:
        installer.box.api.merge_patch(path, {"rules": role["rules"]})
    assert refused.returncode == 3, refused.stdout + refused.stderr
    for kind in ("envoyfilters", "proxyconfigs", "workloadgroups"):
        assert f"permissions: you lack permission to list {kind}.networking.istio.io" in refused.stderr
    assert uninstall.returncode == 3
    assert 'cannot list resource "envoyfilters"' in uninstall.stderr
    assert installer.writes == writes


def test_the_analyzer_role_lets_a_reader_run_the_analysis(installer: User, reader: User) -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "reader-analyzes"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sohistio-analyzer"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "default"}],
    }
    assert installer.run("install", "--yes").returncode == 0
    reader.box.api.create(f"{RBAC}/clusterrolebindings", binding)
    verified = reader.run("verify", "--output", "json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    checks = {check["name"]: check for check in json.loads(verified.stdout)["checks"]}
    assert checks["istioctl-analyze"]["result"] == "passed"


def test_the_authority_role_lets_an_installer_put_the_ca_back(installer: User, tmp_path: Path) -> None:
    box = installer.box
    phrase = {"SOHISTIO_BACKUP_PASSPHRASE": "correct horse battery"}
    down = installer.run("install", "--version", "1.30.5", "--mode", "reinstall", "--yes", "--include-ca", **phrase)
    assert down.returncode == 0, down.stdout + down.stderr
    run = last_run(box)
    assert run is not None
    original = box.api.get(CA)
    assert original is not None
    box.api.delete(CA)
    restore = ("restore", "--backup", run.backup, "--ca", "--yes")
    refused = installer.run(*restore, **phrase)
    assert refused.returncode == 3
    assert (
        "permissions: you lack permission to create, patch secrets in istio-system (cacerts, istio-ca-secret)"
        in refused.stderr
    )
    _user(box, "authority", tmp_path)
    group = "rbac.authorization.k8s.io"
    binding = f"/apis/{group}/v1/namespaces/istio-system/rolebindings/sohistio-authority"
    somebody = {"kind": "ServiceAccount", "name": "installer", "namespace": "default"}
    box.api.merge_patch(binding, {"subjects": [somebody]})
    done = installer.run(*restore, **phrase)
    assert done.returncode == 0, done.stdout + done.stderr
    found = box.api.get(CA)
    assert found is not None
    assert found["data"] == original["data"]


def test_the_policy_role_lets_an_installer_apply_and_prune_a_policy(
    installer: User, tmp_path_factory: pytest.TempPathFactory
) -> None:
    box = installer.box
    apply(box.api, namespace("guarded"))

    def with_policy(**policy: Any) -> User:
        folder = tmp_path_factory.mktemp("policy")
        return replace(installer, environment=own_environments(folder, istio={"pullSecret": None}, **policy))

    declared = {"mtls": {"permissive": ["guarded"]}, "workloads": [{"namespace": "guarded"}]}
    # A restorer may create and change the objects, so an installer may; it may delete none.
    assert with_policy(policy=declared).run("install", "--yes").returncode == 0
    refused = with_policy().run("install", "--yes")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "lack permission to delete authorizationpolicies" in refused.stderr
    assert "rbac/policy.yaml" in refused.stderr
    _user(box, "policy", tmp_path_factory.mktemp("user"))
    somebody = {"kind": "ServiceAccount", "name": "installer", "namespace": "default"}
    box.api.merge_patch(f"{RBAC}/clusterrolebindings/sohistio-policy", {"subjects": [somebody]})
    done = with_policy().run("install", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not box.api.items("/apis/security.istio.io/v1/peerauthentications")
    # istiod takes a moment to write into a new namespace; an uninstall plans to take that away.
    await_true(lambda: box.api.get("/api/v1/namespaces/guarded/configmaps/istio-ca-root-cert") is not None)


def test_the_monitoring_role_lets_an_installer_run_what_watches_the_mesh(
    installer: User, tmp_path_factory: pytest.TempPathFactory
) -> None:
    box = installer.box
    parts: dict[str, Any] = {"prometheus": {"storage": {"size": "1Gi"}}, "grafana": {}, "kiali": {}, "jaeger": {}}
    parts["alerts"] = {"webhook": {"secret": "on-call"}}

    def with_monitoring(**monitoring: Any) -> User:
        folder = tmp_path_factory.mktemp("monitoring")
        keys = {"monitoring": monitoring} if monitoring else {}
        return replace(installer, environment=own_environments(folder, istio={"pullSecret": None}, **keys))

    refused = with_monitoring(**parts).run("install", "--yes")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    for words in ("persistentvolumeclaims", "clusterroles.rbac.authorization.k8s.io", "rbac/monitoring.yaml"):
        assert words in refused.stderr
    _user(box, "monitoring", tmp_path_factory.mktemp("user"))
    somebody = {"kind": "ServiceAccount", "name": "installer", "namespace": "default"}
    # Its objects of Istio are a policy's: for these it has the role by now.
    for binding in (
        "clusterrolebindings/sohistio-monitoring",
        "namespaces/istio-system/rolebindings/sohistio-monitoring",
    ):
        box.api.merge_patch(f"{RBAC}/{binding}", {"subjects": [somebody]})
    done = with_monitoring(**parts).run("install", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not looked at: you lack permission to get Secret istio-system/on-call" in done.stdout
    assert with_monitoring().run("install", "--yes").returncode == 0
    assert not box.api.items("/api/v1/namespaces/istio-system/configmaps", labels="sohistio/monitoring")


def test_the_installer_uninstalls(installer: User) -> None:
    done = installer.run("uninstall", "--yes", "--with-sidecars", "--restart-workloads")
    assert done.returncode == 0, done.stdout + done.stderr
    assert installer.forbidden() <= {
        *{"pods/portforward", "pods/exec", "namespaces", "secrets", "clusterrolebindings", "clusterroles", "roles"},
        *{"customresourcedefinitions", "deployments", "services", "nodes", "virtualservices"},
        "persistentvolumeclaims",
    }
