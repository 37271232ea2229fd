"""What stands in for the cloud in the sandbox: load balancer addresses, and the way from Services to processes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from sohistio.sandbox.istiod import routes_to
from sohistio.sandbox.load_balancers import ADDRESS_ANNOTATION, INTERNAL_ANNOTATION, POOL, PUBLIC_POOL, addresses
from sohistio.sandbox.network import ServiceNetwork


def service(uid: str, asked: str = "", held: str = "", kind: str = "LoadBalancer") -> dict[str, Any]:
    """Services are as old as their uid sorts."""
    return {
        "metadata": {
            "uid": uid,
            "name": uid,
            "namespace": "istio-system",
            "creationTimestamp": f"2026-01-01T00:00:0{uid[-1]}Z",
            "annotations": {ADDRESS_ANNOTATION: asked} if asked else None,
        },
        "spec": {"type": kind},
        "status": {"loadBalancer": {"ingress": [{"ip": held}]} if held else {}},
    }


@pytest.mark.parametrize(
    ("services", "given", "refused"),
    [
        ([service("s1", "10.1.0.1")], {"s1": "10.1.0.1"}, {}),
        ([service("s1")], {"s1": POOL[0]}, {}),
        ([service("s1"), service("s2", held=POOL[0])], {"s1": POOL[1], "s2": POOL[0]}, {}),
        ([service("s1", "10.1.0.1", kind="ClusterIP")], {}, {}),
        # the older one gets it; whoever has it keeps it
        ([service("s2", "10.1.0.1"), service("s1", "10.1.0.1")], {"s1": "10.1.0.1"}, {"s2": "10.1.0.1"}),
        ([service("s1", "10.1.0.1"), service("s2", "10.1.0.1", "10.1.0.1")], {"s2": "10.1.0.1"}, {"s1": "10.1.0.1"}),
        # a changed annotation is followed, and frees the old address for others
        ([service("s1", "10.1.0.2", "10.1.0.1")], {"s1": "10.1.0.2"}, {}),
        (
            [service("s1", "10.1.0.2", "10.1.0.1"), service("s2", "10.1.0.1")],
            {"s1": "10.1.0.2", "s2": "10.1.0.1"},
            {},
        ),
        # a taken address leaves the old one in place
        (
            [service("s1", "10.1.0.1", "10.1.0.1"), service("s2", "10.1.0.1", "10.1.0.9")],
            {"s1": "10.1.0.1"},
            {"s2": "10.1.0.1"},
        ),
    ],
)
def test_load_balancer_addresses(
    services: list[dict[str, Any]], given: dict[str, str], refused: dict[str, str]
) -> None:
    assert addresses(services) == (given, refused)


def test_a_balancer_that_is_made_public_loses_its_private_address() -> None:
    """And gets no private one; another Service can have the one that it had."""
    public = service("s1", "10.1.0.1", "10.1.0.1")
    public["metadata"]["annotations"][INTERNAL_ANNOTATION] = "false"
    assert addresses([public, service("s2", "10.1.0.1")]) == ({"s1": "", "s2": "10.1.0.1"}, {"s1": "10.1.0.1"})
    del public["metadata"]["annotations"][ADDRESS_ANNOTATION]
    assert addresses([public]) == ({"s1": PUBLIC_POOL[0]}, {})
    kept = public | {"status": {"loadBalancer": {"ingress": [{"ip": PUBLIC_POOL[0]}]}}}
    assert addresses([kept]) == ({"s1": PUBLIC_POOL[0]}, {})


def test_services_that_select_istiod_lead_to_its_ports() -> None:
    pod = {"metadata": {"labels": {"app": "istiod", "istio": "pilot", "pod-template-hash": "1"}}}

    def of(selector: dict[str, str], ports: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        spec = {"selector": selector, "clusterIP": "10.0.0.9", "ports": ports} | more
        return {"spec": spec}

    webhook = {"port": 443, "targetPort": 15017}
    services = [
        of({"app": "istiod", "istio": "pilot"}, [webhook, {"port": 15012}, {"port": 9, "targetPort": "named"}]),
        of({"app": "istiod", "istio": "canary"}, [webhook], clusterIP="10.0.0.10"),
        of({}, [webhook], clusterIP="10.0.0.11"),
        of({"app": "istiod"}, [webhook], clusterIP="None"),
    ]
    assert routes_to(pod, services, {15017: 20017, 15012: 20012}) == {"10.0.0.9:443": 20017, "10.0.0.9:15012": 20012}


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that gives back what it gets, in capitals, for one connection at a time."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    while data := connection.recv(1024):
                        connection.sendall(data.upper())

        thread = Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_services_lead_to_processes_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, echo: int
) -> None:
    monkeypatch.chdir(tmp_path)
    network = ServiceNetwork(Path("network.sock"))
    network.start()
    try:
        network.lead({"10.0.0.9:443": echo, "10.0.0.9:15012": 1})
        with ask("10.0.0.9:443") as tunnel:
            assert tunnel.recv(1024).startswith(b"HTTP/1.1 200")
            tunnel.sendall(b"hello")
            assert tunnel.recv(1024) == b"HELLO"
            network.lead({})
            tunnel.sendall(b"still there")
            assert tunnel.recv(1024) == b"STILL THERE"
        for gone in ("10.0.0.9:443", "169.254.169.254:80", "127.0.0.1:22"):
            with ask(gone) as tunnel:
                assert f"503 connection refused: nothing answers at {gone}" in tunnel.recv(1024).decode()
        network.lead({"10.0.0.9:443": 1})
        with ask("10.0.0.9:443") as tunnel:
            assert tunnel.recv(1024).startswith(b"HTTP/1.1 503")
    finally:
        network.stop()


def ask(target: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect("network.sock")
    connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    return connection
