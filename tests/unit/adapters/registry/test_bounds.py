"""Registries whose answers do not end, or do not come: bounded in size and time, and left at once."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from registries import Trust
from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.errors import RegistryError, UnusableError
from sohistio.adapters.releases.downloads import Patience
from sohistio.model.image import Image

DIGEST = "sha256:" + "0a" * 32
TYPE = "Content-Type: application/vnd.oci.image.manifest.v1+json"
CHUNKED = "Transfer-Encoding: chunked"


@contextmanager
def answering(trust: Trust, head: str, part: bytes, pause: float = 0.0) -> Iterator[tuple[str, threading.Event]]:
    """A server of TLS that sends `head` and then `part` time and again; its host, and whether a request came."""
    came, closing = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        timeout = 20

        def do_GET(self) -> None:
            if self.path == "/v2/":
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            came.set()
            self.wfile.write("".join(f"{line}\r\n" for line in (*head.split("|"), "")).encode() if head else b"")
            while not closing.wait(pause):
                self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # a client that goes away is the point

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = trust.server_context().wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", came
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()


def client(host: str, seconds: float = 10.0) -> Registry:
    return Registry(host, None, lambda _: None, Patience(2, 0.01, 1.0, 5, 5, seconds))


def chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


def image_of(host: str) -> Image:
    return Image(host, "istio/pilot", digest=DIGEST)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(f"HTTP/1.1 200 OK|{TYPE}|{CHUNKED}", id="manifest"),
        pytest.param(f"HTTP/1.1 404 None|{CHUNKED}", id="error"),
        pytest.param(f"HTTP/1.1 307 There|Location: /v2/x|{CHUNKED}", id="redirect"),
    ],
)
def test_an_answer_without_an_end(trust: Trust, head: str) -> None:
    with (
        answering(trust, head, chunk(b"x" * 2**16)) as (host, _),
        client(host) as registry,
        pytest.raises(UnusableError, match=f"{host} answers with more than 4194304 bytes"),
    ):
        registry.manifest(image_of(host))


def test_a_blob_that_is_larger_than_its_manifest_says(trust: Trust, tmp_path: Path) -> None:
    with (
        answering(trust, f"HTTP/1.1 200 OK|{CHUNKED}", chunk(b"x" * 2**16)) as (host, _),
        client(host) as registry,
        pytest.raises(UnusableError, match="answers with more than 5000000 bytes"),
    ):
        registry.save_blob(image_of(host), DIGEST, tmp_path / "blob", 5_000_000)
    assert (tmp_path / "blob").stat().st_size <= 5_000_000


def test_what_is_compressed_unasked_is_not_made_larger(trust: Trust) -> None:
    body = gzip.compress(b"[" * 2**24)
    head = f"HTTP/1.1 200 OK|{TYPE}|Content-Encoding: gzip|Content-Length: {len(body)}"
    with (
        answering(trust, head, body) as (host, _),
        client(host) as registry,
        pytest.raises(RegistryError, match="serves another manifest"),
    ):
        registry.manifest(image_of(host))


@pytest.mark.parametrize(
    ("head", "part"),
    [
        pytest.param(f"HTTP/1.1 200 OK|{TYPE}|{CHUNKED}", chunk(b"x"), id="content"),
        pytest.param("", b"H", id="head"),
    ],
)
def test_an_answer_that_trickles(trust: Trust, head: str, part: bytes) -> None:
    started = time.monotonic()
    with (
        answering(trust, head, part, 0.2) as (host, _),
        client(host, 1.0) as registry,
        pytest.raises(RegistryError, match="did not finish its answer within 1 s"),
    ):
        registry.manifest(image_of(host))
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("part", [b"", chunk(b"x")], ids=["silent", "trickling"])
def test_a_registry_that_is_given_up_is_left_at_once(trust: Trust, part: bytes, tmp_path: Path) -> None:
    with answering(trust, f"HTTP/1.1 200 OK|{TYPE}|{CHUNKED}", part, 0.2) as (host, came), client(host) as registry:

        def give_up() -> None:
            came.wait(5)
            registry.give_up()

        threading.Thread(target=give_up).start()
        started = time.monotonic()
        with pytest.raises(RegistryError, match="was not asked again"):
            registry.manifest(image_of(host))
        with pytest.raises(RegistryError, match="was not asked again"):
            registry.save_blob(image_of(host), DIGEST, tmp_path / "blob", 5)
        assert time.monotonic() - started < 2
