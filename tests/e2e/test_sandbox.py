"""`sohistio sandbox` as a user runs it: a subprocess a command, with a state folder of its own."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sandbox_home import Home, home_in, until
from sohistio.sandbox.cluster_api import ClusterApiError
from sohistio.sandbox.modules import ISTIO_VERSIONS, archive_name

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home where the sandbox `local` is up, for tests that do it no harm."""
    with home_in(tmp_path_factory.mktemp("running")) as home:
        result = home.run("up")
        assert result.returncode == 0, result.stderr
        assert "The sandbox 'local' is ready (3 nodes" in result.stdout
        yield home


def test_up_is_ready_when_it_says_so_and_a_second_up_says_it_is_up(running: Home) -> None:
    with running.api() as api:
        nodes = api.items("/api/v1/nodes")
        assert len(nodes) == 3
        assert {node["metadata"]["labels"]["node.kubernetes.io/instance-type"] for node in nodes} == {"Standard_D4s_v3"}
        assert nodes[0]["status"]["capacity"] | {"ephemeral-storage": ""} == {
            "cpu": "4",
            "memory": "16Gi",
            "pods": "110",
            "ephemeral-storage": "",
        }
        assert api.get("/api/v1/namespaces/default/serviceaccounts/default")
    again = running.run("up")
    assert (again.returncode, again.stderr) == (0, "")
    assert "The sandbox 'local' is up already (3 nodes)." in again.stdout
    more = running.run("up", "--nodes", "4")
    assert more.returncode == 3
    assert "is up with 3 nodes, not 4" in more.stderr


def test_files_are_private_and_tls_is_verified(running: Home) -> None:
    folder = running.folder("local")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "kubeconfig").stat().st_mode & 0o777 == 0o600
    config = yaml.safe_load((folder / "kubeconfig").read_text())
    assert config["current-context"] == "sohistio-local"
    assert "insecure-skip-tls-verify" not in config["clusters"][0]["cluster"]
    assert config["clusters"][0]["cluster"]["certificate-authority-data"]


def test_status_shows_each_part(running: Home) -> None:
    code, document = running.status()
    assert (code, document["schemaVersion"], document["phase"], document["well"]) == (0, "1", "ready", True)
    states = {part["name"]: part["state"] for part in document["parts"]}
    assert states.pop("istiod") == "stopped"
    assert set(states) == {
        "supervisor",
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kwok",
        "release mirror",
    }
    assert set(states.values()) == {"running"}
    table = running.run("status")
    assert table.returncode == 0
    assert "kube-apiserver" in table.stdout


def test_env_is_for_a_shell(running: Home) -> None:
    result = running.run("env")
    shell = subprocess.run(
        ["/bin/sh", "-c", 'eval "$0" && printf "%s\n" "$KUBECONFIG" "$SOHISTIO_ISTIO_MIRROR"', result.stdout],
        capture_output=True,
        text=True,
        check=True,
    )
    kubeconfig, mirror = shell.stdout.splitlines()
    assert Path(kubeconfig) == running.folder("local") / "kubeconfig"
    for release in ISTIO_VERSIONS:
        url = f"{mirror}/{release}/{archive_name(release)}"
        assert httpx.head(url, trust_env=False).status_code == 200
        assert httpx.get(f"{url}.sha256", trust_env=False).text.endswith(f" {archive_name(release)}\n")


def test_rbac_is_on(running: Home) -> None:
    with running.api(token="nobody-knows-me") as api, pytest.raises(ClusterApiError) as refused:
        api.get("/api/v1/nodes")
    assert refused.value.status == 401
    with running.api() as api:
        path = "/api/v1/namespaces/default/serviceaccounts/default/token"
        token = api.create(path, {"spec": {"expirationSeconds": 600}})["status"]["token"]
    with running.api(token=token) as api, pytest.raises(ClusterApiError) as refused:
        api.get("/apis/apps/v1/namespaces/default/deployments")
    assert refused.value.status == 403


def test_load_balancers_get_the_address_they_ask_for(running: Home) -> None:
    services = "/api/v1/namespaces/default/services"

    def create(name: str, address: str) -> None:
        annotations = {"service.beta.kubernetes.io/azure-load-balancer-ipv4": address}
        api.create(
            services,
            {
                "metadata": {"name": name, "annotations": annotations},
                "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
            },
        )

    def address_of(name: str) -> str | None:
        ingress = api.get(f"{services}/{name}")["status"]["loadBalancer"].get("ingress")
        return str(ingress[0]["ip"]) if ingress else None

    with running.api() as api:
        create("first", "10.1.147.60")
        until(lambda: address_of("first") == "10.1.147.60")
        create("second", "10.1.147.60")
        events = "/api/v1/namespaces/default/events"
        until(lambda: bool(api.items(events, fieldSelector="reason=SyncLoadBalancerFailed")))
        (event,) = api.items(events, fieldSelector="reason=SyncLoadBalancerFailed")
        assert (event["involvedObject"]["name"], event["type"]) == ("second", "Warning")
        assert "10.1.147.60 is already allocated" in event["message"]
        assert address_of("second") is None
        moved = {"metadata": {"annotations": {"service.beta.kubernetes.io/azure-load-balancer-ipv4": "10.1.147.61"}}}
        api.patch(f"{services}/first", moved)
        until(lambda: (address_of("first"), address_of("second")) == ("10.1.147.61", "10.1.147.60"))


def test_pods_get_ready_and_trouble_can_be_asked_for(running: Home) -> None:
    pods = "/api/v1/namespaces/default/pods"

    def create(name: str, labels: dict[str, str]) -> None:
        spec: dict[str, Any] = {
            "containers": [{"name": "app", "image": "app:1"}],
            "initContainers": [
                {"name": "once", "image": "once:1"},
                {"name": "istio-proxy", "image": "proxy:1", "restartPolicy": "Always"},
            ],
        }
        api.create(pods, {"metadata": {"name": name, "labels": labels}, "spec": spec})

    def status(name: str) -> dict[str, Any]:
        found: dict[str, Any] = api.get(f"{pods}/{name}")["status"]
        return found

    def ready(name: str) -> bool:
        return {"type": "Ready", "status": "True"}.items() <= next(
            (condition for condition in status(name).get("conditions", []) if condition["type"] == "Ready"), {}
        ).items()

    def waits_for(name: str) -> str:
        containers = status(name).get("containerStatuses") or [{}]
        return str(containers[0].get("state", {}).get("waiting", {}).get("reason", ""))

    with running.api() as api:
        create("well", {})
        create("slow", {"sandbox.sohistio/slow": "3s"})
        create("pulls", {"sandbox.sohistio/trouble": "image-pull"})
        create("crashes", {"sandbox.sohistio/trouble": "crash"})
        create("sulks", {"sandbox.sohistio/trouble": "not-ready"})
        until(lambda: ready("well"))
        assert not ready("slow")
        once, proxy = status("well")["initContainerStatuses"]
        assert once["state"]["terminated"]["exitCode"] == 0
        assert (proxy["ready"], proxy["started"], "running" in proxy["state"]) == (True, True, True)
        until(lambda: waits_for("pulls") == "ImagePullBackOff")
        until(lambda: waits_for("crashes") == "CrashLoopBackOff")
        until(lambda: status("sulks")["phase"] == "Running")
        assert (status("pulls")["phase"], status("crashes")["phase"]) == ("Pending", "Running")
        until(lambda: ready("slow"))
        troubled = ("pulls", "crashes", "sulks")
        assert not any(ready(name) for name in troubled)
        for name in troubled:
            api.patch(f"{pods}/{name}", {"metadata": {"labels": {"sandbox.sohistio/trouble": None}}})
        until(lambda: all(ready(name) for name in troubled))


def test_the_real_istiod_follows_its_deployment(running: Home, tmp_path: Path) -> None:
    _, document = running.status()
    release = ISTIO_VERSIONS[-1]
    archive = tmp_path / "istioctl.tar.gz"
    archive.write_bytes(
        httpx.get(f"{document['mirror']}/{release}/{archive_name(release)}", trust_env=False, timeout=60).content
    )
    with tarfile.open(archive) as tar:
        tar.extract("istioctl", tmp_path, filter="data")
    installed = subprocess.run(
        [
            str(tmp_path / "istioctl"),
            "install",
            "--skip-confirmation",
            f"--kubeconfig={document['kubeconfig']}",
            "--set=profile=minimal",
            "--set=values.global.hub=docker.io/istio",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    labels = {"istio-injection": "enabled"}
    pod = {"metadata": {"name": "app"}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}

    def istiods() -> list[str]:
        return [
            part["state"] for part in running.status()[1]["parts"] if part["name"].startswith("istiod") and part["pid"]
        ]

    with running.api() as api:
        assert istiods() == ["running"]
        api.create("/api/v1/namespaces", {"metadata": {"name": "apps", "labels": labels}})
        until(lambda: bool(api.items("/api/v1/namespaces/apps/serviceaccounts")))
        injected = api.create("/api/v1/namespaces/apps/pods", pod)
        images = {container["name"]: container["image"] for container in injected["spec"]["initContainers"]}
        assert images["istio-proxy"] == f"docker.io/istio/proxyv2:{release}"
        bad = {"metadata": {"name": "bad"}, "spec": {"hosts": ["a"]}, "kind": "VirtualService"}
        with pytest.raises(ClusterApiError, match="http, tcp or tls must be provided"):
            api.create(
                "/apis/networking.istio.io/v1/namespaces/apps/virtualservices",
                bad
                | {
                    "apiVersion": "networking.istio.io/v1",
                },
            )
        before = running.pid(next(p["name"] for p in running.status()[1]["parts"] if p["name"][:7] == "istiod-"))
        os.kill(before, 9)
        pods = "/api/v1/namespaces/istio-system/pods"

        def ready() -> list[bool]:
            return [c["ready"] for p in api.items(pods) for c in p["status"]["containerStatuses"]]

        until(lambda: not any(ready()))
        until(lambda: all(ready()), 30)
        assert istiods() == ["running"]
        assert before not in [part["pid"] for part in running.status()[1]["parts"]], "it was started again"
        api.patch("/apis/apps/v1/namespaces/istio-system/deployments/istiod", {"spec": {"replicas": 0}})
        until(lambda: istiods() == [])
        assert running.status()[0] == 0
        with pytest.raises(ClusterApiError, match="connection refused"):
            api.create("/api/v1/namespaces/apps/pods", pod | {"metadata": {"name": "late"}})
