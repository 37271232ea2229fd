"""An API server on loopback whose answers a test decides, and a kubeconfig for it."""

from __future__ import annotations

import json
import socket
import struct
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from loopback import LoopbackServer
from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.model.kube_target import Bearer, KubeTarget

LISTED: tuple[str, ...] = (
    *(f"/apis/apps/v1/{plural}" for plural in ("deployments", "statefulsets", "daemonsets", "replicasets")),
    *("/api/v1/namespaces", "/api/v1/pods", "/api/v1/services", "/api/v1/namespaces/istio-system/configmaps"),
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/policy/v1/poddisruptionbudgets",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
)
"""What a look at the cluster lists."""


@dataclass
class Reply:
    """One answer; with `reset` the connection is reset in its place."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Asked(NamedTuple):
    """One request as it came; the names of headers in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class ApiServer(LoopbackServer):
    """Answers a method and path with what `replies` has for it, one a request; the last one for ever."""

    def __init__(self) -> None:
        self.replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)
        self.asked: list[Asked] = []
        super().__init__(_server(self))

    def answers(self, method: str, path: str, *replies: Reply) -> None:
        self.replies[method, path] = list(replies)

    def shows(self, **lists: list[dict[str, Any]]) -> None:
        """What a look at the cluster finds, by the kinds' plurals; nothing of the others."""
        for path in LISTED:
            self.answers("GET", path, Reply({"items": lists.get(path.rpartition("/")[2], [])}))
        self.answers("GET", "/version", Reply({"gitVersion": "v1.35.4"}))

    def reply_to(self, method: str, path: str) -> Reply:
        replies = self.replies[method, path]
        if not replies:
            return Reply({"message": f"{path} not found"}, 404)
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def api(self, folder: Path, bearer: Bearer | None = None) -> KubeApi:
        """A client of it, with the token `t0ken`, or the bearer's."""
        path = folder / "kubeconfig"
        document = {
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"}}],
            "users": [{"name": "u", "user": {"token": "t0ken"}}],
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
        }
        path.write_text(json.dumps(document))
        return KubeApi(KubeTarget(path, "test"), bearer)


def _server(owner: ApiServer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            owner.asked.append(Asked(self.command, parts.path, query, headers, body))
            reply = owner.reply_to(self.command, parts.path)
            if reply.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                return
            data = reply.encoded()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(data)), "Connection": "close", **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - names of the standard library

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False
        request_queue_size = 64  # a look asks side by side: who finds the queue full tries again a second later

        def handle_error(self, *_: Any) -> None:
            pass  # a client that goes away is what some tests want

    return Server(("127.0.0.1", 0), Handler)
