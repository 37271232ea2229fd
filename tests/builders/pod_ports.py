"""Serves a pod's metrics at its own address, where the sandbox's programs have other ports of this machine."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loopback import LoopbackServer


class PodPort(LoopbackServer):
    """GET at `address`:`port` is answered as `origin` answers, http://host:port."""

    def __init__(self, address: str, port: int, origin: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urllib.request.Request(f"{origin}{self.path}")  # noqa: S310 — loopback
                asked.add_header("Accept", self.headers.get("Accept", "*/*"))
                try:
                    with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310 — loopback
                        status, kind, body = answer.status, answer.headers.get("Content-Type", ""), answer.read()
                except (urllib.error.URLError, OSError) as error:
                    status, kind, body = 502, "text/plain", str(error).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        super().__init__(ThreadingHTTPServer((address, port), Handler))
