"""Servers outside of the mesh, on loopback addresses of their own: HTTPS, or one line of TCP over TLS; they count."""

from __future__ import annotations

import json
import socketserver
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from sohistio.system.certificates import Issued


@dataclass
class Outside:
    """What a server saw: the SNI of each connection, the paths of requests."""

    names: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    failures: int = 0
    """How many of the next requests are answered 503."""


class _Quiet(socketserver.BaseServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that fails is what some stories are about."""


class _HttpServer(_Quiet, ThreadingHTTPServer):
    pass


class _LineServer(_Quiet, socketserver.ThreadingTCPServer):
    pass


@contextmanager
def https_server(address: str, port: int, issued: Issued | None) -> Iterator[Outside]:
    """Answers JSON with its SNI and TLS version; without a certificate plain HTTP."""
    seen = Outside()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.paths.append(self.path)
            status = 503 if seen.failures > 0 else 200
            seen.failures -= 1
            version = self.connection.version() if isinstance(self.connection, ssl.SSLSocket) else None
            name = seen.names[-1] if seen.names else ""
            body = json.dumps({"tls": version, "sni": name, "path": self.path}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test has what was seen."""

    with _serving(_HttpServer((address, port), Handler), seen, issued):
        yield seen


@contextmanager
def line_server(address: str, port: int, issued: Issued) -> Iterator[Outside]:
    """Speaks TLS at once, and answers each line with the same in capitals, as a stand-in for a database."""
    seen = Outside()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline():
                seen.paths.append(line.decode().strip())
                self.wfile.write(line.upper())

    with _serving(_LineServer((address, port), Handler), seen, issued):
        yield seen


@contextmanager
def _serving(server: socketserver.TCPServer, seen: Outside, issued: Issued | None) -> Iterator[None]:
    if issued is not None:
        server.socket = _context(seen, issued).wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def _context(seen: Outside, issued: Issued) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(issued.certificate + issued.key)
        file.flush()
        context.load_cert_chain(Path(file.name))

    def named(_connection: Any, name: str | None, _context: Any) -> None:
        seen.names.append(name or "")

    context.sni_callback = named
    return context
