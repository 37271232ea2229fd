"""A server on loopback that runs between `with` and the end of its block."""

from __future__ import annotations

import ssl
import threading
from http.server import ThreadingHTTPServer
from typing import Self


class LoopbackServer:
    """Runs the server that it is given, in a thread; with a context it speaks TLS."""

    def __init__(self, server: ThreadingHTTPServer, context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._scheme = "http"
        if context is not None:
            self._scheme = "https"
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,))

    @property
    def address(self) -> str:
        """Its scheme, host and port."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
