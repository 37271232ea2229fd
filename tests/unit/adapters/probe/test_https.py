"""Probes against a TLS server on loopback: its address is given, its name is asked for, its certificate is verified."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sohistio.adapters.probe.https import ask
from sohistio.errors import UsageError
from sohistio.model.failover import Probe
from sohistio.system.certificates import Authority

HOST = "app.example.com"


class Handler(BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012 - one server at a time

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['Host']} {self.path}")
        if self.path == "/slow":
            time.sleep(1.5)
        body = b"region=dr"
        self.send_response(503 if self.path == "/bad" else 200)
        self.send_header("X-Region", "dr")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@dataclass(frozen=True)
class Served:
    port: int
    ca: Path

    def probe(self, path: str = "/health", **changes: object) -> Probe:
        found = Probe(f"https://{HOST}:{self.port}{path}", 200, "x-region: dr", None, self.ca, 1)
        return replace(found, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority("the test's")
    issued = authority.issue((HOST,))
    (folder / "ca.pem").write_text(authority.certificate)
    (folder / "server.pem").write_text(issued.certificate + issued.key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that does not trust it hangs up
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield Served(server.server_port, folder / "ca.pem")
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_good_answer(served: Served) -> None:
    answered = ask(served.probe("/health?of=1", body="region=dr"), "127.0.0.1")
    assert answered.fault == ""
    assert 0 < answered.seconds < 5
    assert Handler.asked[-1] == f"{HOST}:{served.port} /health?of=1", "the name, not the address"


@pytest.mark.parametrize(
    ("path", "changes", "words"),
    [
        ("/bad", {}, "it answered 503, not 200"),
        ("/", {"header": "x-region: prod"}, "its header x-region is 'dr', not 'prod'"),
        ("/", {"header": "x-other: a"}, "its header x-other is None"),
        ("/", {"body": "region=prod"}, "its body does not contain 'region=prod'"),
        ("/slow", {}, "no answer in time"),
        ("/", {"ca": None}, "TLS failed"),
    ],
)
def test_what_is_not_as_expected(served: Served, path: str, changes: dict[str, object], words: str) -> None:
    assert words in ask(served.probe(path, **changes), "127.0.0.1", 0.8).fault


def test_another_name_than_the_certificates(served: Served) -> None:
    probe = replace(served.probe(), url=f"https://other.example.com:{served.port}/")
    assert "TLS failed" in ask(probe, "127.0.0.1").fault


def test_nobody_listens(served: Served) -> None:
    assert ask(replace(served.probe(), url=f"https://{HOST}:1/"), "127.0.0.1").fault


@pytest.mark.parametrize("text", ["", "no certificate"])
def test_an_authority_that_is_none(served: Served, tmp_path: Path, text: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(text)
    with pytest.raises(UsageError, match="CA file of the probe"):
        ask(served.probe(ca=file), "127.0.0.1")
