"""How large an answer may be, and how long it may take: a server decides about neither.

httpx bounds the silence between two bytes only. So a request runs in a thread of its own, which can be left behind, and
what it reads is counted; the thread ends by itself with the next byte that comes, or when the server is silent.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from sohistio.adapters.registry.errors import RegistryError, UnusableError

if TYPE_CHECKING:
    import httpx

_NAME = "sohistio.bounds"
_POLL = 0.1
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one answer: `most` bytes, `seconds` from now on, and whether the registry is still of interest at all."""

    host: str
    most: int
    seconds: float
    given_up: threading.Event
    began: float

    @classmethod
    def of(cls, host: str, most: int, seconds: float, given_up: threading.Event) -> Bounds:
        """Beginning now."""
        return cls(host, most, seconds, given_up, time.monotonic())

    @property
    def extensions(self) -> dict[str, Bounds]:
        """What a request has so that `bound` finds them."""
        return {_NAME: self}

    def check(self, taken: int = 0) -> None:
        """Raises UnusableError where more than `most` bytes came, RegistryError where it is over otherwise."""
        if taken > self.most:
            raise UnusableError(
                f"{self.host} answers with more than {self.most} bytes", todo="Check what the registry serves there."
            )
        if self.given_up.is_set():
            raise RegistryError(f"{self.host} was not asked again", todo="Run it again.")
        if time.monotonic() - self.began > self.seconds:
            raise RegistryError(
                f"{self.host} did not finish its answer within {self.seconds:.0f} s",
                todo="Check the registry, the network and the proxy (HTTPS_PROXY, NO_PROXY), and run it again.",
            )

    def kept(self, send: Callable[[], _Answer]) -> _Answer:
        """What `send` returns or raises, within these bounds. Raises RegistryError."""
        self.check()
        answers: queue.SimpleQueue[tuple[_Answer | None, BaseException | None]] = queue.SimpleQueue()

        def answer() -> None:
            try:
                answers.put((send(), None))
            except BaseException as error:  # noqa: BLE001 — it is raised where it is waited for
                answers.put((None, error))

        threading.Thread(target=answer, name=f"request to {self.host}", daemon=True).start()
        while True:
            try:
                found, error = answers.get(timeout=_POLL)
            except queue.Empty:
                self.check()
                continue
            if error is not None:
                raise error
            return cast("_Answer", found)  # None only beside an error


def bound(response: httpx.Response) -> None:
    """A hook for responses: their content is read within the bounds of their request, also that of a redirect."""
    import httpx

    bounds = response.request.extensions[_NAME]
    inner = cast("httpx.SyncByteStream", response.stream)

    class Bounded(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            taken = 0
            for chunk in inner:
                taken += len(chunk)
                bounds.check(taken)
                yield chunk

        def close(self) -> None:
            inner.close()

    response.stream = Bounded()
    # Not asked for; a few bytes could become any number.
    response.headers.pop("Content-Encoding", None)
