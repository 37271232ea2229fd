"""A client of the application by its name: resolves it for each request, keeps no connection, never tries again."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType

import dns.resolver

from requests_by_address import get, paced, trusting

_SECONDS = 5.0


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
    _running: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Client:
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers, self._resolver.port = ["127.0.0.1"], self.server_port
        self._resolver.lifetime = _SECONDS
        self._trusted = trusting(self.authority)
        self._running.enter_context(paced(self._ask_and_count, self.per_second))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

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

    def _ask_and_count(self) -> None:
        asked = time.time()
        try:
            region = self._ask()
        except (OSError, http.client.HTTPException, dns.exception.DNSException) as error:
            region = f"failed: {type(error).__name__}"
        self.answers[region] += 1
        if region.startswith("failed"):
            self.failed.append(asked)
        else:
            self.good.append(time.time())

    def _ask(self) -> str:
        address = str(self._resolver.resolve(self.host, "A")[0])
        found = get(address, self.host, self._trusted, seconds=_SECONDS)
        return found.headers.get("x-region", "") if found.status == 200 else f"failed: {found.status}"
