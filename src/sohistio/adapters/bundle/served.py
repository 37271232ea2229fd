"""A bundle's images as a registry on this machine, read-only, with TLS: they are mirrored as all others are."""

from __future__ import annotations

import re
import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from sohistio.adapters.bundle.layout import Layout
from sohistio.model.image import is_digest
from sohistio.system.certificates import Authority
from sohistio.system.paths import cache_dir
from sohistio.system.private_folder import private_folder

_ADDRESS = "127.0.0.1"
_PATH = re.compile(r"/v2/(?P<path>[a-z0-9._/-]+)/(?P<kind>manifests|blobs)/(?P<reference>[A-Za-z0-9._:-]+)")


@dataclass(frozen=True, slots=True)
class ServedBundle:
    """`host` is its name as a registry, `authority` who signed its certificate (PEM), `folder` has it as `ca.crt`."""

    host: str
    authority: str
    folder: Path


@contextmanager
def served(layout: Layout) -> Iterator[ServedBundle]:
    """Serve the layout until the block ends. Its key is of this process alone and is in no file but while it is read.

    Raises OSError, NotObtainedError.
    """
    authority = Authority("sohistio bundle")
    names = {(image.path, image.tag): digest for image, digest in layout.images().items()}
    with tempfile.TemporaryDirectory(dir=private_folder(cache_dir() / "bundles")) as name:
        folder = Path(name)
        (folder / "ca.crt").write_text(authority.certificate, encoding="ascii")
        server = _Server(layout, names, _context(authority, folder))
        thread = Thread(target=server.serve_forever, name="bundle", daemon=True)
        thread.start()
        try:
            yield ServedBundle(f"{_ADDRESS}:{server.server_address[1]}", authority.certificate, folder)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _context(authority: Authority, folder: Path) -> ssl.SSLContext:
    issued = authority.issue((_ADDRESS,))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = folder / "server.crt", folder / "server.key"
    try:
        certificate.write_text(issued.certificate, encoding="ascii")
        key.touch(0o600)
        key.write_text(issued.key, encoding="ascii")
        context.load_cert_chain(certificate, key)
    finally:
        key.unlink(missing_ok=True)
    return context


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, layout: Layout, names: dict[tuple[str, str], str], context: ssl.SSLContext) -> None:
        super().__init__((_ADDRESS, 0), _Handler)
        self.layout, self.names = layout, names
        # The handshake is the connection's own thread's: one that says nothing keeps no other waiting.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def _answer(self) -> None:
        if self.path == "/v2/":
            self._head(HTTPStatus.OK, 0)
            return
        asked = _PATH.fullmatch(self.path)
        layout = self.server.layout
        digest = ""
        if asked:
            by_name = self.server.names.get((asked["path"], asked["reference"]), "")
            digest = asked["reference"] if is_digest(asked["reference"]) else by_name
        file = layout.blob(digest) if digest else None
        if asked is None or file is None or not file.is_file():
            self._head(HTTPStatus.NOT_FOUND, 0)
            return
        kind = layout.media_type(digest) if asked["kind"] == "manifests" else "application/octet-stream"
        self._head(HTTPStatus.OK, file.stat().st_size, {"Content-Type": kind, "Docker-Content-Digest": digest})
        if self.command == "GET":
            with file.open("rb") as content:
                shutil.copyfileobj(content, self.wfile)

    def _head(self, status: HTTPStatus, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
