"""The release mirror: serves the archives of istioctl on loopback, read-only, and nothing else."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from sohistio.errors import FailedError
from sohistio.sandbox.modules import ISTIO_VERSIONS, archive_name


class ReleaseMirror:
    """`<url>/<release>/istioctl-<release>-<os>-<arch>.tar.gz` and its `.sha256`, as Istio's releases are laid out."""

    def __init__(self, releases: Path, ports: Sequence[int] = (0,)) -> None:
        """Listens at the first of the ports that is free; 0 is any. Raises FailedError where none is."""
        files = {}
        for release in ISTIO_VERSIONS:
            for name in (archive_name(release), f"{archive_name(release)}.sha256"):
                files[f"/{release}/{name}"] = releases / release / name
        self._server = _listening(files, ports)
        self._thread = Thread(target=self._server.serve_forever, name="release-mirror", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, files: dict[str, Path], port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.files = files


def _listening(files: dict[str, Path], ports: Sequence[int]) -> _Server:
    for port in ports:
        try:
            return _Server(files, port)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    raise FailedError("the release mirror finds no free port on 127.0.0.1", todo="End what uses them: `ss -ltnp`.")


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 60

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        path = self.server.files.get(self.path)
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND, "no such release")
            return
        try:
            content = path.open("rb")
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND, "no such release")
            return
        with content:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            if with_body:
                try:
                    shutil.copyfileobj(content, self.wfile)
                except ConnectionError:  # the client had enough
                    self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        print(f"mirror: {format % args}", flush=True)
