"""Monitoring as an environment declares it: applied, left alone, put back, taken away; by a real API server."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from own_environments import own_environments
from sandboxes import CHECKOUT, Sandbox
from shop import await_true
from sohistio.adapters.kubernetes.api import KubeError, Object
from workloads import apply, namespace

pytestmark = pytest.mark.e2e

SYSTEM = "/api/v1/namespaces/istio-system"
APPS = "/apis/apps/v1/namespaces/istio-system/deployments"
ALL: dict[str, Any] = {
    "prometheus": {"storage": {"size": "20Gi"}},
    "grafana": {},
    "kiali": {},
    "jaeger": {},
    "alerts": {"webhook": {"secret": "on-call"}},
}
MARKED = "sohistio/monitoring"


def flags_for(folder: Path, monitoring: dict[str, Any] | None) -> tuple[str, ...]:
    return own_environments(folder, **({"monitoring": monitoring} if monitoring is not None else {}))


def install(
    box: Sandbox, folder: Path, monitoring: dict[str, Any] | None, *more: str
) -> subprocess.CompletedProcess[str]:
    return box.run("install", *flags_for(folder, monitoring), "--yes", *more)


def marked(box: Sandbox) -> set[str]:
    """What the cluster has with the label, as Kind/name."""
    paths = {
        "ConfigMap": f"{SYSTEM}/configmaps",
        "Service": f"{SYSTEM}/services",
        "ServiceAccount": f"{SYSTEM}/serviceaccounts",
        "Secret": f"{SYSTEM}/secrets",
        "PersistentVolumeClaim": f"{SYSTEM}/persistentvolumeclaims",
        "Deployment": APPS,
        "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/istio-system/networkpolicies",
        "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    }
    return {
        f"{kind}/{item['metadata']['name']}"
        for kind, path in paths.items()
        for item in box.api.items(path, labels=MARKED)
    }


def of(*names: str) -> set[str]:
    """The objects of parts that have nothing special."""
    kinds = ("ConfigMap", "Service", "ServiceAccount", "Deployment", "NetworkPolicy")
    return {f"{kind}/{name}" for name in names for kind in kinds}


GRAFANA = of("grafana") | {"ConfigMap/grafana-dashboards", "Secret/grafana-admin"}
KIALI = of("kiali") | {"ClusterRole/sohistio-kiali", "ClusterRoleBinding/sohistio-kiali", "Secret/kiali-signing-key"}
JAEGER = of("jaeger") | {"Service/jaeger-collector"}
PROMETHEUS = of("prometheus") | {"ClusterRole/sohistio-prometheus", "ClusterRoleBinding/sohistio-prometheus"}
DISK = "PersistentVolumeClaim/prometheus"


@pytest.fixture(scope="module")
def box(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A mesh with all of it."""
    sandbox.reset()
    apply(sandbox.api, namespace("istio-system", injected=False))
    url = {"metadata": {"name": "on-call"}, "stringData": {"url": "http://127.0.0.1:1/hook"}}
    sandbox.api.create(f"{SYSTEM}/secrets", {"apiVersion": "v1", "kind": "Secret"} | url)
    done = install(sandbox, tmp_path_factory.mktemp("own"), ALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "32 objects as the environment declares" in done.stdout
    return sandbox


def test_all_of_it_is_there_and_a_second_run_writes_nothing(box: Sandbox, tmp_path: Path) -> None:
    assert marked(box) == PROMETHEUS | of("alertmanager") | GRAFANA | KIALI | JAEGER | {DISK}
    before = len(box.writes())
    done = install(box, tmp_path, ALL)
    assert (done.returncode, "up to date, nothing was written" in done.stdout) == (0, True), done.stdout
    assert box.run("plan", *flags_for(tmp_path, ALL), "--exit-code").returncode == 0
    assert box.writes()[before:] == []
    checks = json.loads(box.run("verify", *flags_for(tmp_path, ALL), "--output", "json").stdout)["checks"]
    found = {item["name"]: (item["result"], item["message"]) for item in checks}
    assert found["monitoring-in-place"] == ("passed", "32 objects as the environment declares")
    assert found["monitoring-ready"] == ("passed", "every part runs")


def test_the_mesh_traces_to_jaeger(box: Sandbox) -> None:
    mesh = yaml.safe_load((box.api.get(f"{SYSTEM}/configmaps/istio") or {})["data"]["mesh"])
    service = {"service": "jaeger-collector.istio-system.svc.cluster.local", "port": 4317}
    assert {"name": "sohistio-tracing", "opentelemetry": service} in mesh["extensionProviders"]
    (telemetry,) = box.api.items("/apis/telemetry.istio.io/v1/namespaces/istio-system/telemetries")
    assert telemetry["spec"]["tracing"][0]["providers"] == [{"name": "sohistio-tracing"}]


def test_pods_are_what_the_strictest_standard_takes(box: Sandbox) -> None:
    """Pod Security `restricted`, by the API server's own admission; nothing is written."""
    strict = namespace("strict", injected=False)
    strict["metadata"]["labels"] = {"pod-security.kubernetes.io/enforce": "restricted"}
    apply(box.api, strict)
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "any"}}
    box.api.create("/api/v1/namespaces/strict/serviceaccounts", account)
    for deployment in box.api.items(APPS, labels=MARKED):
        spec = deployment["spec"]["template"]["spec"] | {"serviceAccountName": "any", "serviceAccount": "any"}
        name = deployment["metadata"]["name"]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        box.api.request("POST", "/api/v1/namespaces/strict/pods", query={"dryRun": "All"}, body=pod)
    lax = {"containers": [{"name": "a", "image": "b"}], "serviceAccountName": "any"}
    bad: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad"}, "spec": lax}
    with pytest.raises(KubeError, match="forbids"):
        box.api.request("POST", "/api/v1/namespaces/strict/pods", query={"dryRun": "All"}, body=bad)


def test_a_hand_edit_is_shown_and_undone_whole(box: Sandbox, tmp_path: Path) -> None:
    def patch(path: str, change: Object) -> None:
        box.api.request(
            "PATCH",
            path,
            query={"fieldManager": "kubectl-edit"},
            body=change,
            content_type="application/merge-patch+json",
        )

    patch(f"{APPS}/prometheus", {"spec": {"strategy": {"type": "RollingUpdate"}, "replicas": 2}})
    patch(f"{APPS}/kiali", {"spec": {"template": {"spec": {"hostNetwork": True}}}})
    patch(f"{SYSTEM}/configmaps/grafana", {"data": {"extra.yaml": "a: 1"}})
    box.api.delete("/apis/networking.k8s.io/v1/namespaces/istio-system/networkpolicies/jaeger")
    planned = box.run("plan", *flags_for(tmp_path, ALL), "--diff").stdout
    for line in (
        "spec.strategy.type: RollingUpdate → Recreate (set by kubectl-edit)",
        "spec.template.spec.hostNetwork: true → (none) (set by kubectl-edit)",
        "data.extra.yaml",
        "+ NetworkPolicy istio-system/jaeger",
    ):
        assert line in planned
    verified = box.run("verify", *flags_for(tmp_path, ALL))
    assert verified.returncode == 5
    assert "missing: NetworkPolicy istio-system/jaeger" in verified.stdout
    assert install(box, tmp_path, ALL).returncode == 0
    prometheus = box.api.get(f"{APPS}/prometheus") or {}
    assert (prometheus["spec"]["strategy"], prometheus["spec"]["replicas"]) == ({"type": "Recreate"}, 1)
    kiali = box.api.get(f"{APPS}/kiali") or {}
    assert "hostNetwork" not in kiali["spec"]["template"]["spec"]
    assert "extra.yaml" not in (box.api.get(f"{SYSTEM}/configmaps/grafana") or {})["data"]
    assert box.run("plan", *flags_for(tmp_path, ALL), "--exit-code").returncode == 0


def test_what_is_random_is_made_once_and_shown_nowhere(box: Sandbox, tmp_path: Path) -> None:
    path = f"{SYSTEM}/secrets/grafana-admin"
    before = (box.api.get(path) or {})["data"]["password"]
    box.api.delete(path)
    planned = box.run("plan", *flags_for(tmp_path, ALL)).stdout
    assert "make grafana-admin with a random text, shown nowhere" in planned
    assert "Grafana's database still has the old password" in planned
    done = install(box, tmp_path, ALL)
    after = (box.api.get(path) or {})["data"]["password"]
    assert before != after
    assert after not in done.stdout + done.stderr
    record = json.dumps(box.api.get(f"{SYSTEM}/configmaps/sohistio"))
    assert after not in record
    install(box, tmp_path, ALL)
    assert (box.api.get(path) or {})["data"]["password"] == after


def test_turning_parts_off_takes_exactly_their_objects_and_says_what_goes(box: Sandbox, tmp_path: Path) -> None:
    before = marked(box)
    fewer = {key: value for key, value in ALL.items() if key not in ("grafana", "jaeger")}
    planned = box.run("plan", *flags_for(tmp_path, fewer)).stdout
    assert "deletes grafana with what people made in it, deletes jaeger with all traces" in planned
    refused = box.run("install", *flags_for(tmp_path, fewer))
    assert refused.returncode == 3, "it is approved first"
    assert install(box, tmp_path, fewer).returncode == 0
    assert marked(box) == before - GRAFANA - JAEGER
    assert box.api.items("/apis/telemetry.istio.io/v1/namespaces/istio-system/telemetries") == []
    assert install(box, tmp_path, ALL).returncode == 0
    assert marked(box) == before


def test_a_disk_grows_and_does_nothing_else(box: Sandbox, tmp_path: Path) -> None:
    def with_disk(**storage: str) -> dict[str, Any]:
        return ALL | {"prometheus": {"storage": storage}}

    for storage in ({"size": "1Gi"}, {"size": "20Gi", "storageClass": "another"}):
        refused = install(box, tmp_path, with_disk(**storage))
        assert (refused.returncode, "PersistentVolumeClaim istio-system/prometheus" in refused.stderr) == (3, True)
    assert install(box, tmp_path, with_disk(size="30Gi")).returncode == 0
    claim = box.api.get(f"{SYSTEM}/persistentvolumeclaims/prometheus") or {}
    assert claim["spec"]["resources"]["requests"]["storage"] == "30Gi"
    planned = box.run("plan", *flags_for(tmp_path, ALL | {"prometheus": {}})).stdout
    assert "deletes the disk of prometheus (30Gi) with all metrics" in planned


def test_somebody_elses_object_of_the_same_name_is_not_touched(box: Sandbox, tmp_path: Path) -> None:
    assert install(box, tmp_path, None).returncode == 0
    assert marked(box) == set()
    theirs = {"metadata": {"name": "grafana"}, "spec": {"ports": [{"port": 80}]}}
    box.api.create(f"{SYSTEM}/services", {"apiVersion": "v1", "kind": "Service"} | theirs)
    forged = {"metadata": {"name": "theirs", "labels": {MARKED: "local"}}, "data": {"a": "b"}}
    box.api.create(f"{SYSTEM}/configmaps", {"apiVersion": "v1", "kind": "ConfigMap"} | forged)
    before = len(box.writes())
    refused = install(box, tmp_path, ALL)
    assert refused.returncode == 3
    assert (
        "Service istio-system/grafana has the name of an object of monitoring, and somebody else made it"
        in refused.stderr
    )
    assert box.writes()[before:] == []
    assert box.api.delete(f"{SYSTEM}/services/grafana")
    done = install(box, tmp_path, ALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left alone, as its label names another environment or sohistio did not write it" in done.stdout
    assert install(box, tmp_path, None).returncode == 0
    assert marked(box) == {"ConfigMap/theirs"}
    box.api.delete(f"{SYSTEM}/configmaps/theirs")


def test_a_run_that_is_killed_goes_on(box: Sandbox, tmp_path: Path) -> None:
    run = subprocess.Popen(
        box.command("install", *flags_for(tmp_path, ALL), "--yes"),
        cwd=CHECKOUT,
        env=box.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    await_true(lambda: box.api.get(f"{SYSTEM}/configmaps/prometheus") is not None, 60)
    os.kill(run.pid, signal.SIGKILL)
    run.wait(20)
    time.sleep(0.5)
    box.run("unlock", *flags_for(tmp_path, ALL)[:4], "--reason", "killed by a test", "--yes")
    done = install(box, tmp_path, ALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert marked(box) == PROMETHEUS | of("alertmanager") | GRAFANA | KIALI | JAEGER | {DISK}


def test_what_does_not_run_and_whom_alerts_do_not_reach(box: Sandbox, tmp_path: Path) -> None:
    path = f"{SYSTEM}/secrets/on-call"
    kept = box.api.get(path) or {}
    box.api.delete(path)
    trouble = {"spec": {"template": {"metadata": {"labels": {"sandbox.sohistio/trouble": "image-pull"}}}}}
    box.api.merge_patch(f"{APPS}/kiali", trouble)
    wizard = {"metadata": {"name": "reviews", "labels": {"kiali_wizard": "traffic_shifting"}}}
    route = {"hosts": ["reviews"], "http": [{"route": [{"destination": {"host": "reviews"}}]}]}
    istios = "/apis/networking.istio.io/v1/namespaces/istio-system/virtualservices"
    box.api.create(istios, {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "spec": route} | wizard)
    try:
        await_true(lambda: not (box.api.get(f"{APPS}/kiali") or {})["status"].get("readyReplicas"), 60)
        verified = box.run("verify", *flags_for(tmp_path, ALL))
        assert verified.returncode == 5
        for words in (
            "Deployment istio-system/kiali is not ready",
            "alerts reach nobody there: Secret istio-system/on-call has no key url",
            "written by Kiali's wizards: VirtualService istio-system/reviews",
        ):
            assert words in verified.stdout
    finally:
        box.api.delete(f"{istios}/reviews")
        secret = {"metadata": {"name": "on-call"}, "data": kept["data"]}
        box.api.create(f"{SYSTEM}/secrets", {"apiVersion": "v1", "kind": "Secret"} | secret)
    assert install(box, tmp_path, ALL).returncode == 0


def test_a_dashboard_is_opened_by_kubectl(box: Sandbox, tmp_path: Path) -> None:
    """A kubelet does not run here, which port-forwards need: the real kubectl says so, another stands in for it."""
    flags = flags_for(tmp_path, ALL)
    failed = box.run("dashboard", "grafana", *flags)
    assert (failed.returncode, "kubectl port-forward ended" in failed.stderr) == (1, True)
    assert box.run("dashboard", "grafna", *flags).returncode == 2
    assert box.run("dashboard", "grafana", *flags, "--port", "0").returncode == 2
    folder = tmp_path / "bin"
    folder.mkdir()
    without = box.run("dashboard", "grafana", *flags, PATH=str(folder))
    assert (without.returncode, "there is no kubectl in PATH" in without.stderr) == (3, True)
    kubectl = folder / "kubectl"
    kubectl.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho "Forwarding from 127.0.0.1:3000 -> 3000"\nexec sleep 60\n'
    )
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    with subprocess.Popen(
        box.command("dashboard", "grafana", *flags, "--port", "39123"),
        cwd=CHECKOUT,
        env=box.environ(PATH=f"{folder}:{os.environ['PATH']}", PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "grafana is at http://127.0.0.1:39123/grafana/ (Ctrl-C ends it)\n"
        assert "user admin; the password: kubectl get secret" in run.stdout.readline()
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 0
    asked = (tmp_path / "asked").read_text().split()
    assert asked[2:] == [
        "--namespace=istio-system",
        "port-forward",
        "--address=127.0.0.1",
        "service/grafana",
        "39123:3000",
    ]
    missing = box.run("dashboard", "prometheus", *flags_for(tmp_path, None))
    assert missing.returncode in (0, 1)  # it is there, whatever the file says


def test_an_uninstall_takes_it_and_leaves_the_disk(box: Sandbox, tmp_path: Path) -> None:
    flags = flags_for(tmp_path, ALL)
    claim = (box.api.get(f"{SYSTEM}/persistentvolumeclaims/prometheus") or {})["metadata"]["uid"]
    done = box.run("uninstall", *flags, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the data of monitoring (PersistentVolumeClaim prometheus)" in done.stdout
    assert marked(box) == {DISK}
    missing = box.run("dashboard", "kiali", *flags)
    assert (missing.returncode, "local has no kiali" in missing.stderr) == (3, True)
    assert install(box, tmp_path, ALL).returncode == 0
    assert (box.api.get(f"{SYSTEM}/persistentvolumeclaims/prometheus") or {})["metadata"]["uid"] == claim
