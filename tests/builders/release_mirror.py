"""A mirror of Istio's releases on loopback whose answers a test decides. Its archives hold a small script."""

from __future__ import annotations

import hashlib
import io
import platform
import ssl
import tarfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from loopback import LoopbackServer
from sohistio.adapters.releases.mirror import Platform
from sohistio.model.versions import Version

HERE = Platform.of(platform.system(), platform.machine())


def script(version: str, padding: int = 0) -> bytes:
    """A program that answers `istioctl version` and nothing else."""
    answer = f"""#!/bin/sh\necho '{{"clientVersion": {{"version": "{version}"}}}}'\nexit 0\n"""
    return answer.encode() + b"#" * padding


def tar_gz(*members: tuple[str, bytes]) -> bytes:
    """An archive with regular files of these names and contents."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o755
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


@dataclass
class Answer:
    """One answer. With `cut` only so many bytes of the body come; its second half comes `pause` seconds later."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    pause: float = 0.0


class ReleaseMirror(LoopbackServer):
    """Serves `files`; answers in `scripted` for a path are used up first, one a request."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, Answer] = {}
        self.scripted: dict[str, list[Answer]] = defaultdict(list)
        self.asked: list[str] = []
        self.authorizations: list[str | None] = []
        self.closing = threading.Event()
        super().__init__(_server(self), context)

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        super().__exit__()

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"{self.address}/releases"

    def publish(self, version: str, where: Platform = HERE, *, body: bytes | None = None) -> str:
        """Put a release up, with its checksum; returns the archive's path on the server."""
        if body is None:
            body = tar_gz(("istioctl", script(version)))
        name = where.archive(Version.parse(version))
        path = f"/releases/{version}/{name}"
        self.files[path] = Answer(body)
        self.files[f"{path}.sha256"] = Answer(f"{hashlib.sha256(body).hexdigest()} {name}\n".encode())
        return path

    def answer(self, path: str) -> Answer:
        if self.scripted[path]:
            return self.scripted[path].pop(0)
        return self.files.get(path, Answer(b"no such file", 404))


def _server(mirror: ReleaseMirror) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            mirror.asked.append(self.path)
            mirror.authorizations.append(self.headers.get("Authorization"))
            answer = mirror.answer(self.path)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "Content-Length" not in answer.headers:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            body = answer.body[: answer.cut]
            try:
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                mirror.closing.wait(answer.pause)
                self.wfile.write(body[len(body) // 2 :])
            except OSError:
                pass  # the client has gone, as some tests want it to

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False

        def handle_error(self, *_: Any) -> None:
            pass  # a refused TLS handshake is the point of a test

    return Server(("127.0.0.1", 0), Handler)


def until(condition: Any, seconds: float = 60.0) -> None:
    """Wait for a condition to hold."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
