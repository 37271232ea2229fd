"""A program for pods: answers every request with who it is, and fails or waits where its pod's annotations say so."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from sohistio.model.durations import seconds_of
from sohistio.sandbox.traffic.addresses import loopback_of

BACKEND_LABEL = "sandbox.sohistio/backend"
ANSWER_ANNOTATION = "sandbox.sohistio/answer"
DELAY_ANNOTATION = "sandbox.sohistio/delay"
ECHO_HEADER = "x-echo"
"""A request with this header is answered with the headers that it had."""
HTTP_PORT, HTTPS_PORT = 8080, 8443
_LONGEST_DELAY = 300


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a backend answers: the HTTP status, after so many seconds."""

    status: int = 200
    delay: int = 0


def behaviour_of(pod: Mapping[str, Any]) -> Behaviour:
    """What a pod's annotations say; one that cannot be read is as if it were not there."""
    annotations = pod["metadata"].get("annotations") or {}
    status, delay = str(annotations.get(ANSWER_ANNOTATION, "")), annotations.get(DELAY_ANNOTATION, "")
    try:
        seconds = min(seconds_of(delay), _LONGEST_DELAY) if delay else 0
    except ValueError:
        seconds = 0
    is_status = status.isdecimal() and 200 <= int(status) <= 599
    return Behaviour(int(status) if is_status else 200, seconds)


def runs(pod: Mapping[str, Any]) -> bool:
    """Whether a pod's backend is to answer."""
    status = pod.get("status") or {}
    return status.get("phase") == "Running" and bool(status.get("podIP")) and "deletionTimestamp" not in pod["metadata"]


class Backend:
    """The servers of one pod, HTTP at 8080 and HTTPS at 8443; raises OSError where they cannot listen."""

    def __init__(self, pod: Mapping[str, Any], region: str, tls: ssl.SSLContext) -> None:
        self.address = str(pod["status"]["podIP"])
        place = loopback_of(self.address)
        self._identity = {"region": region, "pod": str(pod["metadata"]["name"])}
        self._servers = [_Server((place, HTTP_PORT), self._identity, None)]
        try:
            self._servers.append(_Server((place, HTTPS_PORT), self._identity, tls))
        except OSError:
            self._servers[0].server_close()
            raise
        self.behave(pod)
        for server in self._servers:
            Thread(target=server.serve_forever, name=f"backend {place}", daemon=True).start()

    def behave(self, pod: Mapping[str, Any]) -> None:
        """From now on as the pod's annotations say."""
        for server in self._servers:
            server.behaviour = behaviour_of(pod)

    def stop(self) -> None:
        """Take no new connections; requests under way are answered."""
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, place: tuple[str, int], identity: dict[str, str], tls: ssl.SSLContext | None) -> None:
        self.behaviour = Behaviour()
        self.identity = identity
        self._tls = tls
        super().__init__(place, _Handler)

    def get_request(self) -> tuple[Any, Any]:
        connection, client = super().get_request()
        if self._tls is not None:
            # The handshake is left to the connection's own thread.
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, client

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or speaks no TLS, is nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 300
    disable_nagle_algorithm = True
    wbufsize = 65_536  # headers and body in one packet

    def _answer(self) -> None:
        self._read_body()
        behaviour = self.server.behaviour
        time.sleep(behaviour.delay)
        about: dict[str, Any] = {**self.server.identity, "path": self.path}
        if ECHO_HEADER in self.headers:
            about["headers"] = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps(about).encode() + b"\n"
        self.send_response(behaviour.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-region", self.server.identity["region"])
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815 (named by http.server)

    def _read_body(self) -> None:
        """It must be read before the next request of the connection, and is not looked at."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while size := int(self.rfile.readline(100).split(b";")[0], 16):
                self._skip(size + 2)
            while self.rfile.readline(65_536) not in (b"\r\n", b"\n", b""):
                continue
        else:
            self._skip(int(self.headers.get("Content-Length") or 0))

    def _skip(self, size: int) -> None:
        while size > 0 and (read := self.rfile.read(min(size, 65_536))):
            size -= len(read)

    def log_message(self, format: str, *args: object) -> None:
        """One line a request would fill the disk."""
