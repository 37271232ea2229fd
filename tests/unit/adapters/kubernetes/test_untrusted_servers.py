"""Servers that TLS does not trust, for each reason: the remedy is that reason's own."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError

from certificate_authorities import Made, Shape, make
from one_context import target
from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.errors import cause_of
from sohistio.errors import UsageError

SERVER = Shape(is_ca=False, may_sign=None, address="127.0.0.1")


@contextmanager
def answering(folder: Path, own: Made) -> Iterator[int]:
    """The port of a server with this certificate."""
    (folder / "server.pem").write_text(own.pem + own.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client = server.accept()[0]
                    with client, suppress(OSError), context.wrap_socket(client, server_side=True) as secure:
                        secure.recv(1000)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def refused(folder: Path, own: Made, authority: Made) -> KubeError:
    (folder / "authority.pem").write_text(authority.pem)
    given = {"certificate-authority": str(folder / "authority.pem")}
    with answering(folder, own) as port:
        api = KubeApi(target(folder, f"https://127.0.0.1:{port}", {"token": "x"}, **given))
        with pytest.raises(KubeError) as caught:
            api.get("/version")
    assert caught.value.what == f"no trusted TLS connection to the API server https://127.0.0.1:{port}"
    assert not caught.value.passing
    return caught.value


@pytest.mark.parametrize(
    ("shape", "todo"),
    [
        (replace(SERVER, address="10.0.0.1"), "tls-server-name"),
        (replace(SERVER, days=-0.5), "the cluster's certificate is too old"),
        (replace(SERVER, begins=0.5), "clock"),
    ],
    ids=["another-name", "expired", "not-yet"],
)
def test_a_certificate_that_does_not_hold(tmp_path: Path, shape: Shape, todo: str) -> None:
    authority = make("authority")
    error = refused(tmp_path, make("server", authority, shape), authority)
    assert todo in error.todo, error.details


def test_another_authority(tmp_path: Path) -> None:
    assert "certificate-authority-data" in refused(tmp_path, make("server"), make("other")).todo


def test_a_proxy_that_does_not_answer(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{probe.getsockname()[1]}"
        api = KubeApi(target(tmp_path, "https://127.0.0.1:1", {"token": "x"}, **{"proxy-url": proxy}))
        with pytest.raises(KubeError) as caught:
            api.get("/version")
    assert caught.value.what == "the API server https://127.0.0.1:1 cannot be reached"
    assert caught.value.todo.startswith("Check the proxy")
    assert caught.value.details[0].startswith("Unable to connect to proxy: ")
    assert "refused" in caught.value.details[0]
    assert caught.value.passing


def test_a_socks_proxy_is_refused(tmp_path: Path) -> None:
    """Whatever this machine has installed beside sohistio."""
    with pytest.raises(UsageError) as caught:
        KubeApi(target(tmp_path, "https://127.0.0.1:1", {"token": "x"}, **{"proxy-url": "socks5://127.0.0.1:9"}))
    assert caught.value.what == "the proxy to the API server cannot be used"
    assert "no SOCKS" in caught.value.todo


def test_what_a_silent_server_is_told_with() -> None:
    """Of what urllib3 raises, the words: not the object of the connection that comes before them."""
    words = "Connection to 10.1.1.1 timed out. (connect timeout=5)"
    timeout = ConnectTimeoutError(HTTPSConnection("10.1.1.1"), words)
    assert cause_of(MaxRetryError(HTTPSConnectionPool("10.1.1.1"), "/version", timeout)) == words
    assert cause_of(ValueError()) == ""
