"""A Prometheus on loopback that answers instant queries with what a test gives it."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from loopback import LoopbackServer

Series = tuple[Mapping[str, str], float]
Answers = Callable[[str], list[Series]]


class PrometheusServer(LoopbackServer):
    """`answers` gives the series of a query; `asked` are the queries, `tokens` what came with them.

    Where there is a `body`, that is what it answers, with `status`; `slow` are seconds between its bytes.
    """

    def __init__(self, answers: Answers = lambda _: [], context: ssl.SSLContext | None = None) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.body: bytes | None = None
        self.status = 200
        self.headers: dict[str, str] = {}
        self.slow = 0.0
        super().__init__(_server(self), context)

    @property
    def url(self) -> str:
        return self.address

    def answer(self, query: str) -> bytes:
        if self.body is not None:
            return self.body
        result = [{"metric": dict(labels), "value": [1.0, str(value)]} for labels, value in self.answers(query)]
        return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


def _server(prometheus: PrometheusServer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query).get("query", [""])[0]
            prometheus.asked.append(query)
            prometheus.tokens.append(self.headers.get("Authorization", ""))
            body = prometheus.answer(query)
            self.send_response(prometheus.status if parts.path == "/api/v1/query" else 404)
            for name, value in ({"Content-Length": str(len(body))} | prometheus.headers).items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self._send(body)
            except OSError:
                """The client has had enough."""

        def _send(self, body: bytes) -> None:
            if not prometheus.slow:
                self.wfile.write(body)
                return
            for byte in body:
                self.wfile.write(bytes((byte,)))
                self.wfile.flush()
                time.sleep(prometheus.slow)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that does not trust it hangs up
    return server
