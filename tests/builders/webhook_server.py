"""A webhook on loopback: keeps what is posted to it, and answers as a test wants."""

from __future__ import annotations

import json
import ssl
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from loopback import LoopbackServer
from sohistio.system.certificates import Authority

PATH = "/workflows/1/triggers/manual/paths/invoke?sig=s3cret-signature"


class WebhookServer(LoopbackServer):
    """`statuses` are those of the next answers, 202 once they are used up; `silent` seconds pass before each."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.silent = 0.0
        self.paths: list[str] = []
        self.posted: list[dict[str, Any]] = []
        super().__init__(_server(self), context)

    @property
    def url(self) -> str:
        """With a signature in it, as those of Teams have one."""
        return f"{self.address}{PATH}"


def serving(authority: Authority, folder: Path) -> ssl.SSLContext:
    """TLS with a certificate of this authority for 127.0.0.1."""
    issued = authority.issue(["127.0.0.1"])
    pem = folder / "webhook.pem"
    pem.write_text(issued.certificate + issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def _server(webhook: WebhookServer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/json"
            webhook.paths.append(self.path)
            webhook.posted.append(json.loads(body))
            time.sleep(webhook.silent)
            try:
                self.send_response(webhook.statuses.pop(0) if webhook.statuses else 202)
                for name, value in ({"Content-Length": "0"} | webhook.headers).items():
                    self.send_header(name, value)
                self.end_headers()
            except OSError:
                """The client waits no longer."""

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that does not trust it hangs up
    return server
