"""What a comparison of two clusters reports beside the objects that sync can apply. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Subject(StrEnum):
    """What a difference is about."""

    VERSION = "version"
    FILES = "files"
    NAMESPACE = "namespace"
    KIND = "kind"
    OBJECT = "object"
    CONFLICT = "conflict"
    DENIED = "denied"
    EXCLUSION = "exclusion"
    CERTIFICATE = "certificate"
    TRUST_ROOT = "trustRoot"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that sync reports and never changes: `what` in one sentence without a full stop, `todo` what to do.

    `name` is the object, key or namespace. With `counts` the two are not equal because of it; without, it is worth
    knowing only. `objects` is how many objects wait for a namespace or kind.
    """

    subject: Subject
    name: str
    what: str
    todo: str
    counts: bool = True
    objects: int = 0

    @property
    def line(self) -> str:
        """In one line."""
        return f"{self.what}. {self.todo}"

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "subject": self.subject.value,
            "name": self.name,
            "what": self.what,
            "todo": self.todo,
            "counts": self.counts,
        }
