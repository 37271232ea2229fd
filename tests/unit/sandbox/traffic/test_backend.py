"""Backends and load balancers, over real sockets."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sohistio.sandbox.traffic.backend import Backend, Behaviour, behaviour_of, runs
from sohistio.sandbox.traffic.balancers import Balancers
from sohistio.sandbox.traffic.data_plane import AUTHORITY_FILE, server_context

ADDRESS, PLACE = "10.243.255.1", "127.243.255.1"
"""Of the last number that sandboxes take."""
FRONT = "127.115.255.1"


def pod(**annotations: str) -> dict[str, Any]:
    named = {f"sandbox.sohistio/{name}": value for name, value in annotations.items()}
    return {"metadata": {"name": "web-1", "annotations": named}, "status": {"phase": "Running", "podIP": ADDRESS}}


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    found = Backend(pod(), "prod", server_context(tmp_path))
    yield found
    found.stop()


def ask(connection: http.client.HTTPConnection, method: str = "GET", body: Any = None) -> tuple[int, str, Any]:
    connection.request(method, "/a/path?q=1", body=body, encode_chunked=body is not None)
    answer = connection.getresponse()
    return answer.status, answer.headers["x-region"], json.loads(answer.read())


def test_it_says_who_it_is_over_http_and_https(backend: Backend, tmp_path: Path) -> None:
    expected = (200, "prod", {"region": "prod", "pod": "web-1", "path": "/a/path?q=1"})
    plain = http.client.HTTPConnection(PLACE, 8080, timeout=5)
    assert ask(plain) == expected
    assert ask(plain, "POST", iter([b"some", b"chunks"])) == expected  # the same connection goes on
    assert ask(plain, "PUT", b"length") == expected
    plain.close()
    trusted = ssl.create_default_context(cafile=str(tmp_path / AUTHORITY_FILE))
    trusted.check_hostname = False  # its names are those of Services
    secure = http.client.HTTPSConnection(PLACE, 8443, timeout=5, context=trusted)
    assert ask(secure) == expected
    secure.close()
    backend.behave(pod(answer="503"))
    assert ask(plain)[0] == 503
    plain.close()


@pytest.mark.parametrize(
    ("annotations", "behaviour"),
    [
        ({}, Behaviour()),
        ({"answer": "503", "delay": "3s"}, Behaviour(503, 3)),
        ({"answer": "no", "delay": "soon"}, Behaviour()),
        ({"answer": "99"}, Behaviour()),
        ({"delay": "9h"}, Behaviour(200, 300)),
    ],
)
def test_annotations_make_it_fail_and_wait(annotations: dict[str, str], behaviour: Behaviour) -> None:
    assert behaviour_of(pod(**annotations)) == behaviour


def test_only_a_running_pod_answers() -> None:
    assert runs(pod())
    assert not runs(pod() | {"status": {"phase": "Pending", "podIP": ADDRESS}})
    assert not runs(pod() | {"status": {"phase": "Running"}})
    assert not runs(pod() | {"metadata": {"name": "web-1", "deletionTimestamp": "now"}})


@pytest.mark.usefixtures("backend")
def test_a_balancer_passes_connections_on_and_refuses_them_without_endpoints() -> None:
    service = {
        "metadata": {"name": "web", "namespace": "web"},
        "spec": {"type": "LoadBalancer", "ports": [{"name": "http", "port": 8080}]},
        "status": {"loadBalancer": {"ingress": [{"ip": FRONT}]}},
    }
    slice_ = {
        "metadata": {"namespace": "web", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}}],
    }
    reported = []

    async def refused(address: str, why: str) -> None:
        reported.append((address, why))

    async def story() -> None:
        balancers = Balancers(0, refused)
        kept, fresh = (http.client.HTTPConnection(FRONT, 8080, timeout=5) for _ in range(2))
        await balancers.follow([service], [slice_])
        assert (await asyncio.to_thread(ask, kept))[0] == 200
        await balancers.follow([service], [])
        assert (await asyncio.to_thread(ask, kept))[0] == 200  # established connections stay
        with pytest.raises(ConnectionRefusedError):
            await asyncio.to_thread(ask, fresh)
        fresh.close()
        await balancers.follow([service], [slice_])
        assert (await asyncio.to_thread(ask, fresh))[0] == 200
        other = Balancers(0, refused)
        for _ in range(2):
            await other.follow([service], [slice_])
        assert [address for address, _ in reported] == [FRONT]  # said once
        kept.close()
        fresh.close()
        await balancers.follow([], [])
        await asyncio.sleep(0.2)  # both ends of what was relayed notice

    asyncio.run(story())
