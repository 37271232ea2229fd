"""A stable address for istiod: agents keep it while istiods, each on ports of its own, come and go."""

from __future__ import annotations

import socket
from collections.abc import Callable
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

from sohistio.sandbox.network import join
from sohistio.sandbox.ports import free_ports

XDS_PORT = 15012
"""The port of istiod's container that agents connect to, with TLS."""


class IstiodAddress:
    """Passes connections on to `target`, asked for the port on 127.0.0.1 of the istiod that answers now.

    Connections that are open stay open. Without an istiod they are closed at once, and agents try again.
    """

    def __init__(self, target: Callable[[], int | None]) -> None:
        self._server = _Server(target)
        self._thread = Thread(target=self._server.serve_forever, name="istiod-address", daemon=True)

    @property
    def port(self) -> int:
        """On 127.0.0.1, the same for as long as the sandbox runs."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, target: Callable[[], int | None]) -> None:
        (port,) = free_ports(1)
        super().__init__(("127.0.0.1", port), _Connection)
        self.target = target


class _Connection(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        port = self.server.target()
        if port is None:
            return
        try:
            upstream = socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            return
        with upstream:
            upstream.settimeout(None)
            join(self.request, upstream)
