"""The cluster's network as kube-apiserver sees it: an HTTP CONNECT proxy that leads Services to processes of the host.

kube-apiserver is told to reach the cluster through a proxy (its egress selector), so ClusterIPs need not exist on
this machine, and port 443 of a Service needs no root.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Mapping
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingMixIn, UnixStreamServer
from threading import Thread

_IDLE_SECONDS = 300.0


class ServiceNetwork:
    """Leads `ClusterIP:port` to a port on 127.0.0.1, after its routes; anything else is refused.

    `path` is its socket. A relative one keeps clear of the length limit of socket names.
    """

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._server = _Server(str(path), _Connection)
        self._thread = Thread(target=self._server.serve_forever, name="service-network", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def lead(self, routes: Mapping[str, int]) -> None:
        """Replace all routes; connections that are open stay open."""
        if routes != self._server.routes:
            print(f"network: {len(routes)} routes", *sorted(routes), flush=True)
        self._server.routes = dict(routes)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    routes: dict[str, int]

    def server_activate(self) -> None:
        self.routes = {}
        super().server_activate()


class _Connection(StreamRequestHandler):
    server: _Server
    rbufsize = 0  # what follows the request belongs to the tunnel
    timeout = _IDLE_SECONDS

    def handle(self) -> None:
        request = self.rfile.readline(4096).decode("latin-1").split()
        for _ in range(100):
            if self.rfile.readline(4096) in (b"\r\n", b"\n", b""):
                break
        if len(request) < 2 or request[0] != "CONNECT":
            self._refuse("405 only CONNECT is served")
            return
        port = self.server.routes.get(request[1])
        if port is None:
            self._refuse(f"503 connection refused: nothing answers at {request[1]}")
            return
        try:
            upstream = socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            self._refuse(f"503 connection refused: nothing answers at {request[1]}")
            return
        with upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            join(self.connection, upstream)

    def _refuse(self, why: str) -> None:
        self.wfile.write(f"HTTP/1.1 {why}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1"))


def join(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until either side closes or nothing moved for a while."""
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while ready := selector.select(_IDLE_SECONDS):
            for key, _ in ready:
                source, target = key.fileobj, key.data
                assert isinstance(source, socket.socket)  # noqa: S101 (narrows what selectors types loosely)  # nosec B101
                try:
                    data = source.recv(65_536)
                    if not data:
                        return
                    target.sendall(data)
                except OSError:
                    return
