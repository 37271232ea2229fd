"""Requests as a client outside the cluster sends them: to a pinned address, with SNI, without keep-alive or retries."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class _Connection(http.client.HTTPSConnection):
    """Dials an address while it asks for a host, as a changed DNS record would make it."""

    def __init__(self, host: str, address: str, trusted: ssl.SSLContext) -> None:
        super().__init__(host, 443, timeout=_SECONDS, context=trusted)
        self._address = address
        self._trusted = trusted

    def connect(self) -> None:
        plain = socket.create_connection((self._address, 443), timeout=_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._trusted.wrap_socket(plain, server_hostname=self.host)


def get(address: str, host: str, authority: str, path: str = "/", **headers: str) -> Answer:
    """One HTTPS request on a connection of its own; `authority` is what is trusted, PEM. Raises OSError."""
    connection = _Connection(host, address, ssl.create_default_context(cadata=authority))
    try:
        connection.request("GET", path, headers={"Connection": "close"} | headers)
        found = connection.getresponse()
        return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
    finally:
        connection.close()


@contextmanager
def load(address: str, host: str, authority: str, per_second: int) -> Iterator[Counter[str]]:
    """Send so many requests a second until the block ends; counts the answers by status, the others by error."""
    answers: Counter[str] = Counter()
    stopped = threading.Event()
    workers = 8

    def work(first: float) -> None:
        due = first
        while not stopped.wait(max(0.0, due - time.monotonic())):
            due = max(due + workers / per_second, time.monotonic() - 1)
            try:
                answers[str(get(address, host, authority).status)] += 1
            except (OSError, http.client.HTTPException) as error:
                answers[repr(error)] += 1

    begun = time.monotonic()
    threads = [threading.Thread(target=work, args=(begun + number / per_second,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def object_of(answer: Answer) -> dict[str, Any]:
    """The JSON that a backend answers."""
    import json

    found: dict[str, Any] = json.loads(answer.body)
    return found
