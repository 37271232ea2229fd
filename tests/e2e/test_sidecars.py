"""Sidecars that run: workloads talk through mTLS, what a user applies takes effect, and servers outside are reached."""

from __future__ import annotations

import json
import os
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_workloads import SIDECAR_PORT, MeshWorkload, apply_to, deploy_workload, handshake, request
from outside import https_server, line_server
from own_environments import own_environments
from sandboxes import Sandbox
from shop import SYSTEM, await_true, traffic_of, traffic_sandbox
from sohistio.sandbox.traffic.addresses import loopback_of
from sohistio.system.certificates import Authority
from workloads import apply, await_running, deployment, namespace, pods_of

pytestmark = pytest.mark.e2e

SHOP, LOGGED = "shop", "the-test's-log"
WEB, DATABASE = "api.partner.test", "db.partner.test"
_PROVIDER = {"name": LOGGED, "envoyFileAccessLog": {"path": "/dev/stdout", "logFormat": {"labels": {"to": "%PATH%"}}}}


@dataclass(frozen=True)
class Mesh:
    """A server, and a client whose sidecar listens for calls to it and to servers outside (127.40.<number>.x)."""

    sandbox: Sandbox
    server: MeshWorkload
    client: MeshWorkload
    outside: str

    @property
    def logs(self) -> Path:
        return self.sandbox.folder / "logs"


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    with traffic_sandbox(tmp_path_factory.mktemp("state"), nodes=1) as box:
        number = traffic_of(box)["traffic"]["number"]
        flags = own_environments(tmp_path_factory.mktemp("own"), ingressAddress=f"127.{100 + number}.2.10")
        overlay = {"spec": {"meshConfig": {"extensionProviders": [_PROVIDER]}}}
        Path(flags[-1], "local", "istiooperator.yaml").write_text(yaml.safe_dump(overlay))
        apply(box.api, namespace(SHOP))
        installed = box.run("install", *flags, "--yes")
        assert installed.returncode == 0, installed.stdout + installed.stderr
        server = deploy_workload(box, SHOP, "ledger")
        calls = {9000: ["./*"], 8081: ["./*"], 5432: ["./*"]}
        client = deploy_workload(box, SHOP, "checkout", backend=False, calls=calls, tcp=(5432,))
        server.await_ready()
        client.await_ready()
        yield Mesh(box, server, client, f"127.40.{number}")


def part_of(mesh: Mesh, workload: MeshWorkload) -> dict[str, Any]:
    """What `sandbox status` says of its Envoy."""
    name = f"envoy-{workload.pod['metadata']['name']}.{SHOP}"
    found: dict[str, Any] = next(part for part in traffic_of(mesh.sandbox)["parts"] if part["name"] == name)
    return found


def test_two_workloads_talk_through_mutual_tls(mesh: Mesh) -> None:
    await_true(lambda: mesh.client.call(mesh.server.host).status == 200)
    answer = mesh.client.call(mesh.server.host, "/ledger", x_echo="please")
    assert (answer.data["path"], answer.data["pod"]) == ("/ledger", mesh.server.pod["metadata"]["name"])
    identity = answer.data["headers"]["x-forwarded-client-cert"]
    assert f"By=spiffe://cluster.local/ns/{SHOP}/sa/ledger" in identity
    assert f"URI=spiffe://cluster.local/ns/{SHOP}/sa/checkout" in identity
    assert part_of(mesh, mesh.server)["state"] == "running"


def test_strict_refuses_plaintext_and_permissive_takes_it(mesh: Mesh) -> None:
    def plaintext() -> int:
        return request(mesh.server.place, SIDECAR_PORT, mesh.server.host).status

    assert plaintext() == 200
    policies = f"/apis/security.istio.io/v1/namespaces/{SHOP}/peerauthentications"
    apply_to(
        mesh.sandbox,
        policies,
        {"kind": "PeerAuthentication", "metadata": {"name": "default"}, "spec": {"mtls": {"mode": "STRICT"}}},
    )
    await_true(lambda: plaintext() == 0, 20)
    assert mesh.client.call(mesh.server.host).status == 200
    without = handshake(mesh.server.place, SIDECAR_PORT, ssl.TLSVersion.TLSv1_3)
    assert (without.version, bool(without.error)) == ("TLSv1.3", True)  # it has no certificate of the mesh
    mesh.sandbox.api.merge_patch(f"{policies}/default", {"spec": {"mtls": {"mode": "PERMISSIVE"}}})
    await_true(lambda: plaintext() == 200, 20)


def test_a_users_telemetry_writes_access_logs_in_json(mesh: Mesh) -> None:
    spec = {"accessLogging": [{"providers": [{"name": LOGGED}]}]}
    apply_to(
        mesh.sandbox,
        f"/apis/telemetry.istio.io/v1/namespaces/{SYSTEM}/telemetries",
        {"kind": "Telemetry", "metadata": {"name": "mesh-default"}, "spec": spec},
    )
    log = Path(part_of(mesh, mesh.server)["log"])

    def is_logged() -> bool:
        assert mesh.client.call(mesh.server.host, "/logged").status == 200
        return json.dumps({"to": "/logged"}, separators=(",", ":")) in log.read_text(encoding="utf-8").splitlines()

    await_true(is_logged, 20)


def pass_through(sandbox: Sandbox, port: int) -> None:
    """The ingress gateway hands TLS for the database on, as it is."""
    group, metadata = f"/apis/networking.istio.io/v1/namespaces/{SHOP}", {"name": "database"}
    server = {"port": {"number": port, "name": "tls", "protocol": "TLS"}, "tls": {"mode": "PASSTHROUGH"}}
    gateway = {"selector": {"istio": "ingressgateway"}, "servers": [server | {"hosts": [DATABASE]}]}
    apply_to(sandbox, f"{group}/gateways", {"kind": "Gateway", "metadata": metadata, "spec": gateway})
    to_database = {"destination": {"host": DATABASE, "port": {"number": 5432}}}
    route = {"match": [{"port": port, "sniHosts": [DATABASE]}], "route": [to_database]}
    spec = {"hosts": [DATABASE], "gateways": ["database"], "tls": [route]}
    apply_to(sandbox, f"{group}/virtualservices", {"kind": "VirtualService", "metadata": metadata, "spec": spec})


def test_servers_outside_are_reached_over_http_and_tcp(mesh: Mesh) -> None:
    issued = Authority("the partner's").issue([DATABASE])
    for host, protocol, port, at in ((WEB, "HTTP", 8081, 1), (DATABASE, "TCP", 5432, 2)):
        spec = {
            "hosts": [host],
            "location": "MESH_EXTERNAL",
            "resolution": "STATIC",
            "ports": [{"number": port, "name": protocol.lower(), "protocol": protocol}],
            "endpoints": [{"address": f"{mesh.outside}.{at}"}],
        }
        entries = f"/apis/networking.istio.io/v1/namespaces/{SHOP}/serviceentries"
        apply_to(mesh.sandbox, entries, {"kind": "ServiceEntry", "metadata": {"name": f"port-{port}"}, "spec": spec})
    newest = ssl.TLSVersion.TLSv1_3
    with (
        https_server(f"{mesh.outside}.1", 8081, None) as web,
        line_server(f"{mesh.outside}.2", 5432, issued, minimum=newest) as database,
    ):
        await_true(lambda: mesh.client.call(WEB, port=8081).status == 200, 20)
        web.failures = 1
        assert [mesh.client.call(WEB, path, port=8081).status for path in ("/a", "/b")] == [503, 200]
        assert web.paths[-2:] == ["/a", "/b"]
        await_true(lambda: handshake(mesh.client.place, 5432, newest, name=DATABASE).version == "TLSv1.3", 20)
        assert (database.names[-1], database.versions[-1]) == (DATABASE, "TLSv1.3")
        assert handshake(mesh.client.place, 5432, ssl.TLSVersion.TLSv1_2, name=DATABASE).error
        pass_through(mesh.sandbox, 8444)
        gateway = loopback_of(pods_of(mesh.sandbox.api, SYSTEM, "istio-ingressgateway")[0]["status"]["podIP"])
        await_true(lambda: handshake(gateway, 8444, newest, name=DATABASE).version == "TLSv1.3", 20)


def test_no_envoy_rejects_its_configuration(mesh: Mesh) -> None:
    """Neither sidecars', HTTP and TCP, nor gateways': what a stock Envoy lacks is not sent to it."""
    logs = [file.read_text(encoding="utf-8") for file in mesh.logs.glob("envoy-*.log")]
    assert len(logs) == 8
    assert not [line for log in logs for line in log.splitlines() if "rejected" in line or "istio.stats" in line]


def test_a_killed_sidecar_starts_again_beside_its_application(mesh: Mesh) -> None:
    before = mesh.server.sidecar["restartCount"]
    os.kill(part_of(mesh, mesh.server)["pid"], signal.SIGKILL)
    await_true(lambda: mesh.server.sidecar["restartCount"] == before + 1 and mesh.server.sidecar["ready"], 20)
    (application,) = mesh.server.pod["status"]["containerStatuses"]
    assert (application["ready"], application["restartCount"]) == (True, 0)
    await_true(lambda: mesh.client.call(mesh.server.host).status == 200, 20)


def test_trouble_and_deletion_are_as_for_gateways(mesh: Mesh) -> None:
    path = f"/api/v1/namespaces/{SHOP}/pods/{mesh.server.pod['metadata']['name']}"
    for trouble in ("crash", None):
        mesh.sandbox.api.merge_patch(path, {"metadata": {"labels": {"sandbox.sohistio/trouble": trouble}}})
        await_true(lambda ready=trouble is None: mesh.server.is_ready is ready, 20)  # type: ignore[misc]
    mesh.sandbox.api.request("DELETE", path)
    await_true(lambda: mesh.sandbox.api.get(path) is None, 30)
    mesh.server.await_ready()
    assert mesh.client.call(mesh.server.host).status == 200


def test_a_labelled_pod_without_a_sidecar_is_simulated(mesh: Mesh) -> None:
    apply(mesh.sandbox.api, namespace("plain", injected=False))
    label = {"sandbox.sohistio/sidecar": "true"}
    apply(mesh.sandbox.api, deployment("plain", "plain", replicas=1, labels=label))
    await_running(mesh.sandbox.api, "plain", 1)
    path = f"/api/v1/namespaces/plain/pods/{pods_of(mesh.sandbox.api, 'plain')[0]['metadata']['name']}"
    mesh.sandbox.api.request("DELETE", path)
    await_true(lambda: mesh.sandbox.api.get(path) is None, 10)
