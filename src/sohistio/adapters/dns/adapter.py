"""What all that can change the record have in common: one interface, and the words for a record changed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sohistio.errors import RefusedError
from sohistio.model.dns import DnsRecord, RecordAnswer


class DnsAdapter(Protocol):
    """Reads and switches one A record. Going back is `apply` the other way."""

    def current(self) -> RecordAnswer:
        """What the record shows now, at its authority where there is one to ask. Raises RefusedError."""

    def check_rights(self) -> None:
        """Prove that this user can switch the record, without changing it. Raises RefusedError that says what lacks."""

    def describe(self, to: str) -> str:
        """What `apply` will do, for the plan; `to` is an IPv4 address. Nothing is asked."""

    def apply(self, expected: RecordAnswer, to: str) -> RecordAnswer:
        """Switch the record to the IPv4 address `to` and return it as it is then; its TTL stays.

        Only if it still is `expected`, as `current` gave it: raises RecordChangedError where it is not, and nothing was
        written. Raises RefusedError where it cannot be switched and is as before, FailedError where that is not
        certain, InterruptedRunError. Name servers may go on with the old address for its TTL: `await_everywhere`.
        """


@dataclass(frozen=True, slots=True)
class Watch:
    """How an adapter that waits is ended from outside, and where its lines go."""

    stop: threading.Event = field(default_factory=threading.Event)
    said: Callable[[str], None] = lambda _: None


class RecordChangedError(RefusedError):
    """The record is not any more what was read of it: nothing was written."""

    def __init__(self, record: DnsRecord, expected: RecordAnswer, now: RecordAnswer) -> None:
        super().__init__(
            f"{record} was changed by somebody else meanwhile; sohistio has not written to it",
            details=(f"when it was read: {expected}", f"now: {now}"),
            todo="Find out who changed it and why, then plan again.",
        )
        self.now = now
