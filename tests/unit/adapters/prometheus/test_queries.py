"""Queries to a Prometheus on loopback: what comes back, and every way in which nothing does."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from prometheus_server import PrometheusServer
from sohistio.adapters.prometheus.client import MOST_BYTES, Prometheus, Sample
from sohistio.errors import RefusedError
from sohistio.system.certificates import Authority

TOKEN = "t0ken-of-a-test"


@pytest.fixture
def server() -> Iterator[PrometheusServer]:
    with PrometheusServer() as found:
        yield found


def test_the_samples_of_a_vector(server: PrometheusServer) -> None:
    server.answers = lambda _: [({"__name__": "up", "pod": "web"}, 2.5), ({}, 1)]
    assert Prometheus(server.url + "/").query('up{a="b"}') == (Sample({"pod": "web"}, 2.5), Sample({}, 1.0))
    assert server.asked == ['up{a="b"}']
    assert server.tokens == [""]


def test_a_token_goes_along_and_is_in_no_message(server: PrometheusServer) -> None:
    Prometheus(server.url, TOKEN).query("up")
    assert server.tokens == [f"Bearer {TOKEN}"]
    server.status = 401
    with pytest.raises(RefusedError) as refused:
        Prometheus(server.url, TOKEN).query("up")
    assert "refuses the query (401)" in refused.value.what
    assert "SOHISTIO_PROMETHEUS_TOKEN" in refused.value.todo
    assert TOKEN not in str(refused.value.document())


@pytest.mark.parametrize("token", ["two words", "line\nend", "ümlaut", "t\r"])
def test_what_is_no_token_is_not_sent(token: str) -> None:
    with pytest.raises(RefusedError, match="is no token") as refused:
        Prometheus("https://127.0.0.1:1", token)
    assert token not in str(refused.value.document())


def test_a_token_never_leaves_this_machine_unencrypted() -> None:
    with pytest.raises(RefusedError, match="without encryption"):
        Prometheus("http://prometheus.monitoring.svc:9090", TOKEN)


_BAD: dict[str, tuple[int, bytes, str]] = {
    "an error of its own": (
        400,
        json.dumps({"status": "error", "errorType": "bad_data", "error": "parse error\nat 1:2"}).encode(),
        "cannot answer the query (400): parse error at 1:2",
    ),
    "success in trouble": (
        503,
        b'{"status": "success", "data": {"resultType": "vector", "result": []}}',
        "cannot answer the query (503)",
    ),
    "a page": (200, b"<html>Sign in</html>", "gives an answer (200) that is not Prometheus'"),
    "another form": (200, b"[1, 2]", "gives an answer (200) that is not Prometheus'"),
    "no data": (200, b'{"status": "success"}', "gives an answer (200) that is not Prometheus'"),
    "a matrix": (200, b'{"status": "success", "data": {"resultType": "matrix", "result": []}}', "not Prometheus'"),
    "deep nesting": (200, b"[" * 100_000, "gives an answer (200) that is not Prometheus'"),
    "in trouble": (503, b"", "gives an answer (503) that is not Prometheus'"),
    "too much": (200, b" " * (MOST_BYTES + 1), f"answers with more than {MOST_BYTES} bytes"),
}


@pytest.mark.parametrize("name", _BAD)
def test_answers_that_are_none(server: PrometheusServer, name: str) -> None:
    server.status, server.body, words = _BAD[name]
    with pytest.raises(RefusedError) as refused:
        Prometheus(server.url).query("up")
    assert words in ": ".join((refused.value.what, *refused.value.details))
    assert server.url in refused.value.what
    assert refused.value.todo


def test_a_redirect_is_not_followed(server: PrometheusServer) -> None:
    server.status, server.headers = 302, {"Location": "http://127.0.0.1:1/elsewhere"}
    with pytest.raises(RefusedError, match="leads to another address"):
        Prometheus(server.url, TOKEN).query("up")
    assert len(server.asked) == 1


def test_an_answer_that_trickles_is_not_waited_for(server: PrometheusServer) -> None:
    server.slow = 0.1
    begun = time.monotonic()
    with pytest.raises(RefusedError, match=r"did not finish its answer within 0.5 s"):
        Prometheus(server.url, seconds=0.5).query("up")
    assert time.monotonic() - begun < 3


def test_a_server_that_is_silent_or_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(RefusedError, match=r"cannot be asked|gave no answer"):
            Prometheus(f"http://127.0.0.1:{silent.getsockname()[1]}", seconds=0.3).query("up")
        port = silent.getsockname()[1]
    with pytest.raises(RefusedError, match="cannot be asked"):
        Prometheus(f"http://127.0.0.1:{port}").query("up")


def test_tls_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority("the test's")
    issued = authority.issue(("127.0.0.1",))
    (tmp_path / "ca.pem").write_text(authority.certificate)
    (tmp_path / "server.pem").write_text(issued.certificate + issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with PrometheusServer(lambda _: [({}, 1)], context) as server:
        with pytest.raises(RefusedError, match="certificate that is not trusted") as refused:
            Prometheus(server.url, TOKEN).query("up")
        assert "SSL_CERT_FILE" in refused.value.todo
        assert server.tokens == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert Prometheus(server.url, TOKEN).query("up") == (Sample({}, 1.0),)
        assert server.tokens == [f"Bearer {TOKEN}"]
