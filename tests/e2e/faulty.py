"""A proxy on loopback between a client and the sandbox's API server, which answers in its place as a test decides."""

from __future__ import annotations

import base64
import http.client
import json
import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandboxes import Sandbox

_LONGEST_HANG = 120


class Request(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    agent: str

    @property
    def writes(self) -> bool:
        return self.method != "GET" and self.query.get("dryRun") != "All" and "accessreviews" not in self.path


@dataclass(frozen=True)
class Fault:
    """What the client gets in place of an answer, after so many seconds of nothing (`hang`). `after` lets the server do
    the work first, and loses its answer.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0.0
    after: bool = False


THROTTLED = Fault(429, {"Retry-After": "1"})
RESET = Fault()
LOST = Fault(after=True)
HANG = Fault(hang=_LONGEST_HANG)
EXPIRED = Fault(410)

Decision = Callable[[Request], Fault | None]


def first(times: int, fault: Fault, when: Callable[[Request], bool] = lambda _: True) -> Decision:
    """This fault for the first requests that `when` picks."""
    left = times
    lock = threading.Lock()

    def decide(request: Request) -> Fault | None:
        nonlocal left
        with lock:
            if left and when(request):
                left -= 1
                return fault
        return None

    return decide


def at_random(seed: int, share: float, *faults: Fault) -> Decision:
    """One of the faults for this share of the requests."""
    dice, lock = random.Random(seed), threading.Lock()  # noqa: S311 - no secret hangs on it

    def decide(_: Request) -> Fault | None:
        with lock:
            return dice.choice(faults) if dice.random() < share else None

    return decide


class FaultyServer:
    """The proxy, with a certificate of its own; `page` makes every list's pages this small."""

    def __init__(self, sandbox: Sandbox, folder: Path, *, page: int = 0) -> None:
        self.decide: Decision = lambda _: None
        self.faults: list[tuple[Request, Fault]] = []
        self.page = page
        self.released = threading.Event()
        cluster = yaml.safe_load(sandbox.kubeconfig.read_text())["clusters"][0]["cluster"]
        self.upstream = urlsplit(cluster["server"])
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.trust = ssl.create_default_context(cadata=authority)
        certificate = _certificate(folder)
        self._server = _server(self)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._ca = certificate.read_text().partition("-----BEGIN PRIVATE KEY")[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def kubeconfig(self, sandbox: Sandbox, folder: Path) -> Path:
        """The sandbox's kubeconfig, through the proxy."""
        document = yaml.safe_load(sandbox.kubeconfig.read_text())
        document["clusters"][0]["cluster"] = {
            "server": f"https://127.0.0.1:{self._server.server_port}",
            "certificate-authority-data": base64.b64encode(self._ca.encode()).decode(),
        }
        path = folder / "through-the-proxy"
        path.write_text(yaml.safe_dump(document))
        path.chmod(0o600)
        return path


def _certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "faulty")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "faulty.pem"
    path.touch(mode=0o600)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path


def _server(owner: FaultyServer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _LONGEST_HANG

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query))
            request = Request(self.command, parts.path, query, self.headers.get("User-Agent", ""))
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = owner.decide(request)
            if fault is None:
                self._forward(request, body)
                return
            owner.faults.append((request, fault))
            if fault.after:
                self._forward(request, body, silently=True)
            if fault.hang:
                owner.released.wait(fault.hang)
            if fault.status:
                self._refuse(fault)
            else:
                self._reset()

        def _refuse(self, fault: Fault) -> None:
            reason = {410: "Expired", 429: "TooManyRequests"}.get(fault.status, "InternalError")
            status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": fault.status}
            data = json.dumps(status | {"reason": reason, "message": f"made up: {fault.status}"}).encode()
            self.send_response(fault.status)
            for name, value in {"Content-Type": "application/json", **fault.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _reset(self) -> None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True

        def _forward(self, request: Request, body: bytes, *, silently: bool = False) -> None:
            query = dict(request.query)
            if owner.page and "limit" in query:
                query["limit"] = str(owner.page)
            target = urlunsplit(("", "", request.path, urlencode(query), ""))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
            headers |= {"Accept-Encoding": "identity"}
            upstream = http.client.HTTPSConnection(
                owner.upstream.hostname or "", owner.upstream.port, context=owner.trust, timeout=_LONGEST_HANG
            )
            try:
                upstream.request(self.command, target, body or None, headers)
                with upstream.getresponse() as answer:
                    if not silently:
                        self._pass_on(answer)
            finally:
                upstream.close()

        def _pass_on(self, answer: http.client.HTTPResponse) -> None:
            """As it comes: a watch has no end."""
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while data := answer.read1(65536):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - names of the standard library

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def finish_request(self, request: Any, client_address: Any) -> None:
            with suppress(OSError):  # a client that goes away, and a connection that a fault has closed
                request.do_handshake()
                super().finish_request(request, client_address)

        def handle_error(self, *_: Any) -> None:
            pass

    return Server(("127.0.0.1", 0), Handler)
