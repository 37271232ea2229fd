"""Workloads whose sidecars really run, for stories about traffic within the mesh (docs/sandbox.md, "Sidecars")."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandboxes import Sandbox
from shop import await_true
from sohistio.sandbox.traffic.addresses import loopback_of
from workloads import apply, deployment, pods_of

SERVICE_PORT, SIDECAR_PORT, BACKEND_PORT = 9000, 8000, 8080
_SECONDS = 15
_REFUSAL_SECONDS = 0.5
"""How long a server may take to refuse a client that has finished its handshake."""
_CORE, _ISTIO = "/api/v1/namespaces", "/apis/networking.istio.io/v1/namespaces"


@dataclass(frozen=True)
class Answer:
    """What came back; names of headers in lower case. Status 0: refused or reset."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(frozen=True)
class MeshWorkload:
    """A Deployment of one pod with a sidecar that runs, with a ServiceAccount and a Service of its name."""

    sandbox: Sandbox
    namespace: str
    name: str

    @property
    def host(self) -> str:
        return f"{self.name}.{self.namespace}.svc.cluster.local"

    @property
    def pod(self) -> dict[str, Any]:
        return pods_of(self.sandbox.api, self.namespace, self.name)[-1]

    @property
    def place(self) -> str:
        """Where its programs listen on this machine."""
        return loopback_of(self.pod["status"]["podIP"])

    def call(self, host: str, path: str = "/", *, port: int = SERVICE_PORT, **headers: str) -> Answer:
        """As its application would: through its sidecar's listener at a port, asking for a host."""
        return request(self.place, port, host, path, **headers)

    @property
    def sidecar(self) -> dict[str, Any]:
        """The status of its container istio-proxy."""
        listed: list[dict[str, Any]] = self.pod["status"]["initContainerStatuses"]
        return next(found for found in listed if found["name"] == "istio-proxy")

    @property
    def is_ready(self) -> bool:
        """Whether its newest pod is Ready; so is its sidecar then."""
        found = pods_of(self.sandbox.api, self.namespace, self.name)
        conditions = found[-1]["status"].get("conditions", ()) if found else ()
        return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)

    def await_ready(self) -> None:
        """Wait until it is (at most 90 s)."""
        await_true(lambda: self.is_ready, 90)


def request(address: str, port: int, host: str, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    """One plaintext HTTP request on a connection of its own."""
    connection = http.client.HTTPConnection(address, port, timeout=_SECONDS)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Host": host, "Connection": "close"} | given)
        found = connection.getresponse()
        named = {name.lower(): value for name, value in found.getheaders()}
        return Answer(found.status, named, found.read().decode())
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, {}, str(error))
    finally:
        connection.close()


@dataclass(frozen=True)
class Handshake:
    """How a TLS handshake ended: the version, and the peer's certificate (DER); `error` says why it was refused.

    Under TLS 1.3 a server refuses a client without a certificate only after the client has finished: then there are a
    version and an error.
    """

    version: str
    certificate: bytes = b""
    error: str = ""


def handshake(address: str, port: int, version: ssl.TLSVersion, *, name: str = "") -> Handshake:
    """Try exactly one version of TLS, without a certificate of one's own and without checking the other's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["istio", "h2", "http/1.1"])
    agreed = Handshake("")
    try:
        with (
            socket.create_connection((address, port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=name or None) as wrapped,
        ):
            agreed = Handshake(wrapped.version() or "", wrapped.getpeercert(binary_form=True) or b"")
            wrapped.settimeout(_REFUSAL_SECONDS)
            wrapped.recv(1)
    except TimeoutError:
        return agreed if agreed.version else Handshake("", error="timed out")
    except OSError as error:
        return replace(agreed, error=str(error))
    return agreed


def deploy_workload(
    sandbox: Sandbox,
    namespace: str,
    name: str,
    *,
    backend: bool = True,
    calls: Mapping[int, Sequence[str]] | None = None,
    tcp: Sequence[int] = (),
    annotations: Mapping[str, str] | None = None,
) -> MeshWorkload:
    """Create it. `calls` are its sidecar's ports for calls, each with what it imports; those of `tcp` are not HTTP."""
    api = sandbox.api
    metadata = {"name": name, "namespace": namespace}
    labels = {"sandbox.sohistio/sidecar": "true"} | ({"sandbox.sohistio/backend": "true"} if backend else {})
    apply_to(sandbox, f"{_CORE}/{namespace}/serviceaccounts", {"kind": "ServiceAccount", "metadata": metadata})
    ports = [{"name": "http", "port": SERVICE_PORT, "targetPort": SIDECAR_PORT}]
    service = {"kind": "Service", "metadata": metadata, "spec": {"selector": {"app": name}, "ports": ports}}
    apply_to(sandbox, f"{_CORE}/{namespace}/services", service)
    apply_to(sandbox, f"{_ISTIO}/{namespace}/sidecars", _sidecar(metadata, calls or {}, tcp))
    item = deployment(namespace, name, replicas=1, labels=labels)
    item["spec"]["template"]["spec"]["serviceAccountName"] = name
    if annotations:
        item["spec"]["template"]["metadata"]["annotations"] = dict(annotations)
    apply(api, item)
    return MeshWorkload(sandbox, namespace, name)


def apply_to(sandbox: Sandbox, collection: str, obj: dict[str, Any]) -> None:
    """Create an object; its apiVersion follows from the collection's path."""
    parts = collection.split("/")
    version = parts[2] if parts[1] == "api" else f"{parts[2]}/{parts[3]}"
    sandbox.api.create(collection, {"apiVersion": version} | obj)


def _sidecar(metadata: dict[str, str], calls: Mapping[int, Sequence[str]], tcp: Sequence[int]) -> dict[str, Any]:
    """Nothing is captured here, so each listener is named; what leads to the egress gateway is imported as well."""
    inbound = {
        "port": {"number": SIDECAR_PORT, "name": "http", "protocol": "HTTP"},
        "bind": "0.0.0.0",  # noqa: S104 — of the pod
        "captureMode": "NONE",
        "defaultEndpoint": f"0.0.0.0:{BACKEND_PORT}",
    }
    outbound = [
        {
            "port": {"number": port, "name": f"port-{port}", "protocol": "TCP" if port in tcp else "HTTP"},
            "bind": "0.0.0.0",  # noqa: S104
            "captureMode": "NONE",
            "hosts": list(hosts),
        }
        for port, hosts in calls.items()
    ]
    outbound.append({"captureMode": "IPTABLES", "hosts": ["istio-system/*"]})
    spec = {
        "workloadSelector": {"labels": {"app": metadata["name"]}},
        "ingress": [inbound],
        "egress": outbound,
    }
    return {"kind": "Sidecar", "metadata": metadata, "spec": spec}
