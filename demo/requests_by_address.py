"""HTTPS requests to a given address, with SNI and Host of the application; no keep-alive, no second try."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_SECONDS = 10.0
_WORKERS = 8


@dataclass(frozen=True)
class Answer:
    """What came back; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class _Closing(ssl.SSLSocket):
    """Closes itself: Python leaves one open, held by nobody, whose peer resets it just before the handshake."""

    def __del__(self) -> None:
        self.close()


class _Connection(http.client.HTTPSConnection):
    """Dials an address while it asks for a host, as a changed DNS record would make it."""

    def __init__(self, host: str, address: str, trusted: ssl.SSLContext, seconds: float) -> None:
        super().__init__(host, 443, timeout=seconds, context=trusted)
        self._address, self._trusted, self._seconds = address, trusted, seconds

    def connect(self) -> None:
        plain = socket.create_connection((self._address, 443), timeout=self._seconds)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._trusted.wrap_socket(plain, server_hostname=self.host)


def trusting(authority: str) -> ssl.SSLContext:
    """A context that trusts this authority (PEM) and no other."""
    trusted = ssl.create_default_context(cadata=authority)
    trusted.sslsocket_class = _Closing
    return trusted


def get(
    address: str, host: str, trusted: ssl.SSLContext, path: str = "/", *, seconds: float = _SECONDS, **headers: str
) -> Answer:
    """One request on a connection of its own. Raises OSError, HTTPException."""
    connection = _Connection(host, address, trusted, seconds)
    try:
        connection.request("GET", path, headers={"Connection": "close"} | headers)
        found = connection.getresponse()
        return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
    finally:
        connection.close()


@contextmanager
def paced(work: Callable[[], None], per_second: int) -> Iterator[None]:
    """Call `work` so many times a second, in threads, until the block ends; one that is slow holds up no other."""
    stopped = threading.Event()

    def worker(due: float) -> None:
        while not stopped.wait(max(0.0, due - time.monotonic())):
            due = max(due + _WORKERS / per_second, time.monotonic() - 1)
            work()

    begun = time.monotonic()
    threads = [threading.Thread(target=worker, args=(begun + number / per_second,)) for number in range(_WORKERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()
