"""Debian's Prometheus on loopback, as an ordinary process, that scrapes what a test exposes."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from loopback import LoopbackServer
from sohistio.sandbox.ports import free_ports


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
        self.url = f"http://127.0.0.1:{server.server_port}/metrics"
        super().__init__(server)


class RealPrometheus:
    """Runs between `with` and the end of its block. `scraped` are URLs on loopback, by the job's name."""

    def __init__(self, folder: Path, scraped: Mapping[str, Sequence[str]], every: str = "200ms") -> None:
        self._folder = folder
        (self._port,) = free_ports(1)
        jobs = [
            {
                "job_name": f"{job}-{number}",
                "metrics_path": urllib.parse.urlsplit(url).path or "/metrics",
                "static_configs": [{"targets": [urllib.parse.urlsplit(url).netloc], "labels": {"job": job}}],
            }
            for job, urls in scraped.items()
            for number, url in enumerate(urls)
        ]
        settings = {"global": {"scrape_interval": every, "scrape_timeout": every}, "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(json.dumps(settings))

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
        await_prometheus(self.url, self._process, self._folder / "log")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()

    def answer(self, expression: str) -> list[dict[str, Any]]:
        """An instant query's result. Raises HTTPError where Prometheus cannot read it."""
        return answer_of(self.url, expression)


def answer_of(url: str, expression: str) -> list[dict[str, Any]]:
    """What the Prometheus at `url` answers to an instant query. Raises HTTPError where it cannot read it."""
    asked = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"{url}/api/v1/query?{asked}", timeout=20) as answer:  # noqa: S310 — loopback
        found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
    return found


def await_prometheus(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until the Prometheus at `url` answers; fails with its log where it ends, or within 30 s does not."""
    end = time.monotonic() + 30
    while not _is_ready(url):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=2) as answer:  # noqa: S310 — loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
