"""What was last found of a standby's readiness: each item with its time, as the record keeps it. Data and its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from sohistio.model.failover_mark import check_time

LONGEST_MESSAGE = 200
"""Characters that are kept of what an item said: the record stays small."""
REHEARSAL_DAYS = 90
"""After so many a rehearsal of the failover is too old."""


class Outcome(StrEnum):
    """How an item was found, the worst first."""

    FAILED = "failed"
    WARNING = "warning"
    PASSED = "passed"
    SKIPPED = "skipped"

    @property
    def is_bad(self) -> bool:
        """Whether somebody should look at it."""
        return self in (Outcome.FAILED, Outcome.WARNING)


@dataclass(frozen=True, slots=True)
class ReadinessItem:
    """One item as it was found at a time, ISO 8601 in UTC; its message may be cut."""

    name: str
    result: Outcome
    message: str
    at: str

    def document(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What one look found of an environment that stands by. What was accepted by name was not looked at."""

    environment: str
    items: tuple[ReadinessItem, ...]
    accepted: frozenset[str] = frozenset()

    def after(self, known: Sequence[ReadinessItem]) -> tuple[ReadinessItem, ...]:
        """All that is known now: of what was not looked at, the result before; items that are no more are dropped."""
        return (*self.items, *(item for item in known if item.name in self.accepted))


def items_of(value: object) -> tuple[ReadinessItem, ...]:
    """Read the JSON back; raises ValueError where it is none: anybody may edit it. Records before had nothing."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError("not a record of sohistio: readiness is no list")
    return tuple(_item(item, f"readiness[{number}]") for number, item in enumerate(value))


def _item(value: object, place: str) -> ReadinessItem:
    values = value if isinstance(value, Mapping) else {}
    texts = [values.get(key) for key in ("name", "result", "message", "at")]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"not a record of sohistio: {place} is no item of readiness")
    name, result, message, at = map(str, texts)
    if result not in Outcome._value2member_map_:
        raise ValueError(f"not a record of sohistio: {place} has the result {result!r}"[:100])
    check_time(place, "at", at)
    return ReadinessItem(name, Outcome(result), message, at)
