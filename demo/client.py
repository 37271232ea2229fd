"""A client of the application by its name: resolves it for each request, keeps no connection, never tries again."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

import dns.resolver

_SECONDS = 5.0
_WORKERS = 8


class _Connection(http.client.HTTPSConnection):
    """Dials the address that DNS gave, and asks for the host by its name."""

    def __init__(self, host: str, address: str, trusted: ssl.SSLContext) -> None:
        super().__init__(address, 443, timeout=_SECONDS, context=trusted)
        self._host_name, self._trusted = host, trusted

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._trusted.wrap_socket(self.sock, server_hostname=self._host_name)


@dataclass
class Client:
    """`per_second` requests between `with` and the end of its block. `answers` counts them by region, or by error;
    `failed` has when each failure was asked for, `good` when each good answer came, in seconds since the epoch."""

    host: str
    server_port: int
    authority: str
    per_second: int = 20
    answers: Counter[str] = field(default_factory=Counter)
    failed: list[float] = field(default_factory=list)
    good: list[float] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Client:
        begun = time.monotonic()
        for number in range(_WORKERS):
            thread = threading.Thread(target=self._work, args=(begun + number / self.per_second,))
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def failures(self) -> dict[str, int]:
        """What went wrong, counted; empty where every request was answered."""
        return {words: count for words, count in self.answers.items() if words.startswith("failed")}

    @property
    def outage(self) -> float:
        """Seconds from the first failure to the first good answer after the last one; 0 without a failure."""
        if not self.failed:
            return 0.0
        last = max(self.failed)
        after = [moment for moment in self.good if moment > last]
        return (min(after) if after else time.time()) - min(self.failed)

    def _work(self, due: float) -> None:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], self.server_port, _SECONDS
        trusted = ssl.create_default_context(cadata=self.authority)
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + _WORKERS / self.per_second, time.monotonic() - 1)
            asked = time.time()
            try:
                region = self._ask(resolver, trusted)
            except (OSError, http.client.HTTPException, dns.exception.DNSException) as error:
                self.answers[f"failed: {type(error).__name__}"] += 1
                self.failed.append(asked)
            else:
                self.answers[region] += 1
                (self.failed if region.startswith("failed") else self.good).append(
                    asked if region.startswith("failed") else time.time()
                )

    def _ask(self, resolver: dns.resolver.Resolver, trusted: ssl.SSLContext) -> str:
        address = str(resolver.resolve(self.host, "A")[0])
        connection = _Connection(self.host, address, trusted)
        try:
            connection.request("GET", "/", headers={"Host": self.host, "Connection": "close"})
            found = connection.getresponse()
            found.read()
            return found.headers.get("x-region", "") if found.status == 200 else f"failed: {found.status}"
        finally:
            connection.close()
