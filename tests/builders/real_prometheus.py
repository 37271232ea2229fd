"""Debian's Prometheus on loopback, as an ordinary process, that scrapes what a test exposes."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from loopback import LoopbackServer

_CONFIGURATION = """\
global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}
scrape_configs:
  - job_name: mesh
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Exposed(LoopbackServer):
    """Serves `text` as a proxy serves its metrics."""

    def __init__(self, text: str) -> None:
        self.text = text
        exposed = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exposed.text.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        super().__init__(server)


class RealPrometheus:
    """Runs between `with` and the end of its block."""

    def __init__(self, folder: Path, exposed: Exposed) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        (folder / "prometheus.yml").write_text(_CONFIGURATION.format(port=exposed.port))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            [  # noqa: S607 — of make system-packages
                "prometheus",
                f"--config.file={self._folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + 30
        while not self._is_ready():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < end, (self._folder / "log").read_text()
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:  # noqa: S310 — loopback
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
