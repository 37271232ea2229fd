"""`sohistio sandbox` as a user runs it: a subprocess a command, with a state folder of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError
from sohistio.sandbox.modules import ISTIO_VERSIONS, archive_name
from sohistio.sandbox.processes import processes_of

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Home:
    """A user's state folder, and the command line run with it. `more` goes into the environment."""

    state: Path

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sohistio", "sandbox", *arguments]
        environment = os.environ | {"XDG_STATE_HOME": str(self.state)} | more
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)

    def folder(self, name: str) -> Path:
        return self.state / "sohistio" / "sandbox" / name

    def status(self, name: str = "local") -> tuple[int, dict[str, Any]]:
        result = self.run("status", "--name", name, "--output", "json")
        return result.returncode, json.loads(result.stdout)

    def pid(self, part: str, name: str = "local") -> int:
        _, document = self.status(name)
        return next(int(found["pid"]) for found in document["parts"] if found["name"] == part)

    @contextmanager
    def api(self, name: str = "local", token: str = "") -> Iterator[ClusterApi]:
        config = yaml.safe_load((self.folder(name) / "kubeconfig").read_text())
        authority = self.folder(name) / "tls" / "apiserver.crt"
        api = ClusterApi(
            config["clusters"][0]["cluster"]["server"], authority, token or config["users"][0]["user"]["token"]
        )
        try:
            yield api
        finally:
            api.close()


@contextmanager
def home_in(state: Path) -> Iterator[Home]:
    home = Home(state)
    try:
        yield home
    finally:
        if home.folder("x").parent.exists():
            for folder in list(home.folder("x").parent.iterdir()):
                home.run("down", "--name", folder.name)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_in(tmp_path) as home:
        yield home


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home where the sandbox `local` is up, for tests that do it no harm."""
    with home_in(tmp_path_factory.mktemp("running")) as home:
        result = home.run("up")
        assert result.returncode == 0, result.stderr
        assert "The sandbox 'local' is ready (3 nodes" in result.stdout
        yield home


def until(done: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


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


def test_two_run_side_by_side_and_reset_empties_only_one(home: Home) -> None:
    for name, nodes in (("prod", "2"), ("dr", "1")):
        started = home.run("up", "--name", name, "--nodes", nodes)
        assert started.returncode == 0, started.stderr
    for name in ("prod", "dr"):
        with home.api(name) as api:
            api.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": f"of-{name}"}})
    exported = home.run("env", "--name", "prod").stdout
    began = time.monotonic()
    reset = home.run("reset", "--name", "prod")
    assert reset.returncode == 0, reset.stderr
    assert time.monotonic() - began < 30
    assert home.run("env", "--name", "prod").stdout == exported
    with home.api("prod") as api:
        assert len(api.items("/api/v1/nodes")) == 2
        with pytest.raises(ClusterApiError) as gone:
            api.get("/api/v1/namespaces/default/configmaps/of-prod")
    assert gone.value.status == 404
    with home.api("dr") as api:
        assert api.get("/api/v1/namespaces/default/configmaps/of-dr")
    assert home.run("down", "--name", "prod").returncode == 0
    assert home.status("dr")[0] == 0

    port = int(exported.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        moved = home.run("up", "--name", "prod", "--nodes", "1")
    # The first of its ports may be another sandbox's of this machine: then that one is named.
    assert re.search(
        r"Another program has port \d+: the release mirror is at http://127\.0\.0\.1:\d+ now", moved.stdout
    )
    elsewhere = home.run("env", "--name", "prod").stdout
    assert elsewhere != exported
    reset = home.run("reset", "--name", "prod")
    assert "Another program" not in reset.stdout
    assert home.run("env", "--name", "prod").stdout == elsewhere
    home.run("down", "--name", "prod")
    home.run("up", "--name", "prod", "--nodes", "1")
    assert home.run("env", "--name", "prod").stdout != elsewhere, "back as soon as its port is free"


def test_a_crashed_part_is_reported_and_not_started_over(home: Home) -> None:
    assert home.run("up", "--nodes", "1").returncode == 0
    os.kill(home.pid("kube-scheduler"), signal.SIGKILL)
    until(lambda: any(part["exitCode"] is not None for part in home.status()[1]["parts"]))
    code, document = home.status()
    assert code == 1
    (crashed,) = (part for part in document["parts"] if part["state"] == "crashed")
    assert (crashed["name"], crashed["exitCode"], document["well"]) == ("kube-scheduler", -9, False)
    assert crashed["lastLines"]
    assert "kube-scheduler crashed, exit code -9" in home.run("status").stdout
    refused = home.run("up")
    assert refused.returncode == 3
    assert "kube-scheduler crashed" in refused.stderr
    assert "sohistio sandbox reset" in refused.stderr


@pytest.mark.parametrize("how", [None, signal.SIGKILL, signal.SIGSTOP], ids=["running", "killed", "hanging"])
def test_down_leaves_no_process_and_no_file(home: Home, how: signal.Signals | None) -> None:
    assert home.run("up", "--nodes", "1").returncode == 0
    assert len(processes_of(home.folder("local"))) == 6
    if how is not None:
        os.kill(home.pid("supervisor"), how)
    if how is signal.SIGKILL:
        until(lambda: home.status()[0] == 1)
        assert home.run("env").returncode == 3
    down = home.run("down")
    assert (down.returncode, down.stdout) == (0, "The sandbox 'local' is gone.\n")
    assert processes_of(home.folder("local")) == []
    assert list(home.folder("local").parent.iterdir()) == []
    assert home.status()[0] == 1
    again = home.run("down")
    assert (again.returncode, again.stdout) == (0, "There is no sandbox 'local'.\n")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ending"])
def test_what_was_there_is_there_again_after_its_processes_were_gone(home: Home, how: signal.Signals) -> None:
    assert home.run("up", "--nodes", "1").returncode == 0
    with home.api() as api:
        api.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "kept"}})
    os.kill(home.pid("supervisor"), how)
    until(lambda: home.status()[0] == 1)
    again = home.run("up")
    assert again.returncode == 0, again.stderr
    with home.api() as api:
        assert api.get("/api/v1/namespaces/default/configmaps/kept")


def test_two_ups_at_once_start_it_once(home: Home) -> None:
    environment = os.environ | {"XDG_STATE_HOME": str(home.state)}
    command = [sys.executable, "-m", "sohistio", "sandbox", "up", "--nodes", "1"]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = sorted(process.communicate(timeout=1800)[0].splitlines()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert told[0].startswith("The sandbox 'local' is ready")
    assert told[1] == "The sandbox 'local' is up already (1 node)."


def test_without_go_it_is_one_clear_error(home: Home, tmp_path: Path) -> None:
    result = home.run("up", PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert result.returncode == 3
    assert "there is no `go` on the PATH" in result.stderr
    assert "Traceback" not in result.stderr
    assert not home.folder("local").exists()


def test_a_failed_build_is_one_clear_error(home: Home, tmp_path: Path) -> None:
    nothing = {key: str(tmp_path / key) for key in ("XDG_CACHE_HOME", "GOMODCACHE", "GOCACHE")}
    result = home.run("up", GOPROXY="off", GOTOOLCHAIN="local", **nothing)
    assert result.returncode == 3
    assert "building etcd failed: go build ended with 1" in result.stderr
    assert "GOPROXY=off" in result.stderr
    assert f"whole log: {tmp_path}" in result.stderr
    assert not home.folder("local").exists()
