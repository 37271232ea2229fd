"""What may lie between a client and a registry, on loopback: trouble on the way (TLS), and a proxy for CONNECT."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from loopback import LoopbackServer
from registries import RealRegistry

_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "content-length"}


@dataclass
class Trouble:
    """What becomes of the next `times` requests whose `METHOD path` matches.

    A `status` is answered in the registry's place; `corrupted` changes a byte of the body, `cut` ends it half-way, and
    `pause` is how many seconds its second half takes to come.
    """

    matches: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    corrupted: bool = False
    cut: bool = False
    pause: float = 0.0
    happened: int = 0

    def takes(self, request: str) -> bool:
        return self.happened < self.times and re.search(self.matches, request) is not None


class TroubledWay(LoopbackServer):
    """A TLS server in front of a registry; a context manager. `headers` are added to every answer."""

    def __init__(self, registry: RealRegistry, delay: float = 0.0) -> None:
        self.registry = registry
        self.troubles: list[Trouble] = []
        self.headers: dict[str, str] = {}
        self.delay = delay
        self.seen: list[str] = []
        self.authorizations: list[str | None] = []
        self.closing = threading.Event()
        self._choosing = threading.Lock()
        super().__init__(_server(self), registry.trust.server_context())

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        super().__exit__()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def begin(self, *troubles: Trouble) -> None:
        """These from now on, and no others."""
        self.troubles = list(troubles)

    def trouble_for(self, request: str) -> Trouble:
        with self._choosing:
            self.seen.append(request)
            found = next((trouble for trouble in self.troubles if trouble.takes(request)), Trouble(""))
            found.happened += 1
            return found


def _server(way: TroubledWay) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self._body()
            way.closing.wait(way.delay)
            way.authorizations.append(self.headers.get("Authorization"))
            trouble = way.trouble_for(f"{self.command} {self.path}")
            if trouble.status:
                self._answer(trouble.status, trouble.headers, b"")
                return
            inner = http.client.HTTPSConnection(
                "127.0.0.1", way.registry.port, context=way.registry.trust.client_context()
            )
            # A name may be there several times, as skopeo has Accept.
            names = {name.lower() for name in self.headers} - _HOP
            kept = {name: ", ".join(self.headers.get_all(name, [])) for name in names}
            # As the client named it: the registry's own addresses are relative.
            inner.request(self.command, self.path, body, kept | {"Host": self.headers["Host"]})
            answer = inner.getresponse()
            content = answer.read()
            inner.close()
            if trouble.corrupted and content:
                content = content[:-1] + bytes([content[-1] ^ 1])
            headers = dict(answer.getheaders())
            if self.command == "HEAD":
                self._answer(answer.status, headers, b"", headers.get("Content-Length", "0"))
            else:
                self._answer(answer.status, headers, content, cut=trouble.cut, pause=trouble.pause)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _answer(
            self,
            status: int,
            headers: Mapping[str, str],
            body: bytes,
            length: str = "",
            *,
            cut: bool = False,
            pause: float = 0.0,
        ) -> None:
            self.send_response(status)
            for name, value in {**headers, **way.headers}.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            half = len(body) // 2
            self.wfile.write(body[:half])
            self.wfile.flush()
            way.closing.wait(pause)
            if cut:
                self.close_connection = True
                return
            self.wfile.write(body[half:])

        def log_message(self, *_: Any) -> None:
            pass

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a client that went away is the point of some tests

    return Server(("127.0.0.1", 0), Handler)


class ConnectProxy:
    """A proxy for HTTPS (CONNECT) on loopback that alone knows where its hosts are, and keeps what it was asked for."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.asked: list[str] = []
        self._ports = ports
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(client,), daemon=True).start()

    def _tunnel(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head and (more := client.recv(4096)):
                head += more
            method, _, host = head.split(b"\r\n")[0].decode().rpartition(" ")[0].partition(" ")
            self.asked.append(host)
            name = host.partition(":")[0]
            if method != "CONNECT" or name not in self._ports:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self._ports[name])) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join(30)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of the two has gone


def until(condition: Any, seconds: float = 20.0) -> None:
    """Wait for a condition to hold."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
