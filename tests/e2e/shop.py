"""An application behind the ingress gateway of a sandbox with traffic, as a user applies it with kubectl."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import Sandbox
from https_load import Answer, get
from own_environments import own_environments
from sohistio.system.certificates import Authority
from workloads import apply, deployment, namespace, pods_of

HOST = "shop.example.com"
SYSTEM = "istio-system"
NETWORKING = "/apis/networking.istio.io/v1/namespaces/{}/{}"


@dataclass(frozen=True)
class Shop:
    """A sandbox with traffic, the mesh, and an application behind the ingress gateway."""

    sandbox: Sandbox
    address: str
    authority: str

    def get(self, path: str = "/") -> Answer:
        return get(self.address, HOST, self.authority, path)

    def status(self) -> int:
        """The HTTP status; 0 where nobody takes the connection, -1 where it breaks."""
        try:
            return self.get().status
        except ConnectionRefusedError:
            return 0
        except OSError:  # an Envoy has just ended, or has no certificate yet
            return -1

    def annotate(self, **annotations: str | None) -> None:
        """On all pods of the backend."""
        named = {f"sandbox.sohistio/{name}": value for name, value in annotations.items()}
        for pod in pods_of(self.sandbox.api, "shop"):
            path = f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}"
            self.sandbox.api.merge_patch(path, {"metadata": {"annotations": named}})


def open_shop(sandbox: Sandbox, folder: Path) -> Shop:
    """Install the mesh by sohistio, with an address of this sandbox's own; then the application."""
    second_octet = 100 + traffic_of(sandbox)["traffic"]["number"]
    address = f"127.{second_octet}.2.10"
    installed = sandbox.run("install", *own_environments(folder, ingressAddress=address, applicationNamespaces=[]))
    assert installed.returncode == 0, installed.stderr
    authority = Authority("the test's")
    issued = authority.issue((HOST,))
    api = sandbox.api
    apply(api, namespace("shop", injected=False))
    apply(api, deployment("shop", "web", labels={"sandbox.sohistio/backend": "true"}))
    service = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    of_service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}
    api.create("/api/v1/namespaces/shop/services", of_service | {"spec": service})
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "shop-tls", "namespace": SYSTEM},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": issued.certificate, "tls.key": issued.key},
    }
    api.create(f"/api/v1/namespaces/{SYSTEM}/secrets", secret)
    https = {
        "port": {"number": 443, "name": "https", "protocol": "HTTPS"},
        "tls": {"mode": "SIMPLE", "credentialName": "shop-tls"},
        "hosts": [HOST],
    }
    gateway = listed("Gateway", SYSTEM, "shop", selector={"istio": "ingressgateway"}, servers=[https])
    route = {"route": [{"destination": {"host": "web.shop.svc.cluster.local", "port": {"number": 80}}}]}
    routed = listed("VirtualService", "shop", "web", hosts=[HOST], gateways=[f"{SYSTEM}/shop"], http=[route])
    api.create(NETWORKING.format(SYSTEM, "gateways"), gateway)
    api.create(NETWORKING.format("shop", "virtualservices"), routed)
    found = Shop(sandbox, address, authority.certificate)
    # Each gateway's Envoy gets its configuration by itself, and connections go to them in turn.
    await_true(lambda: all(found.status() == 200 for _ in range(9)))
    return found


def await_true(done: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.2)


def traffic_of(sandbox: Sandbox, name: str = "local") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sandbox.run("sandbox", "status", "--name", name, "--output", "json").stdout)
    return found


def listed(kind: str, place: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": place},
        "spec": spec,
    }
