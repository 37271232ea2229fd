"""Servers outside of the mesh, at loopback addresses of their own (127.40.x.y): HTTP(S), or lines of TCP over TLS."""

from __future__ import annotations

import json
import socketserver
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sohistio.system.certificates import Issued

_SECONDS = 15


@dataclass
class Outside:
    """What a server observed. `names` has the SNI that each handshake asked for, "" where it asked for none, `versions`
    the TLS version of each that succeeded, `paths` the path or line of each request.
    """

    names: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    failures: int = 0
    """How many of the next HTTP requests are answered 503."""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def next_status(self, path: str) -> int:
        """Count a request, and say how it is to be answered."""
        with self.lock:
            self.paths.append(path)
            fails = self.failures > 0
            self.failures -= fails
        return 503 if fails else 200

    def accepted(self, connection: Any) -> tuple[str | None, str]:
        """Count a connection, and return its TLS version and SNI; None and "" for plaintext."""
        if not isinstance(connection, _Connection):
            return None, ""
        version = connection.version() or ""
        self.versions.append(version)
        return version, connection.asked_name


@contextmanager
def https_server(
    address: str, port: int, issued: Issued | None, *, minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
) -> Iterator[Outside]:
    """Answers JSON with `tls` (the version), `sni` and `path`; without a certificate plain HTTP."""
    observed = Outside()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _SECONDS

        def setup(self) -> None:
            self.tls = observed.accepted(self.request)
            super().setup()

        def do_GET(self) -> None:
            status = observed.next_status(self.path)
            version, name = self.tls
            body = json.dumps({"tls": version, "sni": name, "path": self.path}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test has what was observed."""

    with _serving(_HttpServer((address, port), Handler), _context(observed, issued, minimum)):
        yield observed


@contextmanager
def line_server(
    address: str, port: int, issued: Issued | None, *, minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
) -> Iterator[Outside]:
    """Speaks TLS at once, and answers each line with the same in capitals, as a stand-in for a database."""
    observed = Outside()

    class Handler(socketserver.StreamRequestHandler):
        timeout = _SECONDS

        def handle(self) -> None:
            observed.accepted(self.request)
            while line := self.rfile.readline():
                observed.next_status(line.decode(errors="replace").strip())
                self.wfile.write(line.upper())

    with _serving(_LineServer((address, port), Handler), _context(observed, issued, minimum)):
        yield observed


class _Connection(ssl.SSLSocket):
    """A connection that knows which server its client asked for."""

    asked_name = ""


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    tls: ssl.SSLContext | None = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: a client that does not shake hands keeps nobody waiting."""
        if self.tls is not None:
            request.settimeout(_SECONDS)
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)
        if isinstance(request, _Connection):
            request.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that fails is what some stories are about."""


class _HttpServer(_Server, ThreadingHTTPServer):
    pass


class _LineServer(_Server):
    pass


@contextmanager
def _serving(server: _Server, tls: ssl.SSLContext | None) -> Iterator[None]:
    server.tls = tls
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_SECONDS)


def _context(observed: Outside, issued: Issued | None, minimum: ssl.TLSVersion) -> ssl.SSLContext | None:
    if issued is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = minimum
    context.sslsocket_class = _Connection
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(issued.certificate + issued.key)
        file.flush()
        context.load_cert_chain(file.name)

    def named(connection: Any, name: str | None, _context: ssl.SSLContext) -> None:
        connection.asked_name = name or ""
        observed.names.append(name or "")

    context.sni_callback = named
    return context
