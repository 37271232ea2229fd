"""Istio versions, and the version skew that Istio supports."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sohistio.errors import UsageError

_PATTERN = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?:-([0-9A-Za-z][0-9A-Za-z.-]*))?")


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """An Istio release such as 1.31.1. A pre-release suffix is kept, and sorts by its text."""

    major: int
    minor: int
    patch: int
    suffix: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read `1.31.1`; raises UsageError for anything else, `v1.31.1` and `latest` included."""
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise UsageError(
                f"{text!r} is not an Istio version",
                todo="Give a full release number such as 1.31.1.",
            )
        major, minor, patch, suffix = match.groups()
        return cls(int(major), int(minor), int(patch), suffix or "")

    @classmethod
    def from_tag(cls, tag: str) -> Version | None:
        """The version in an image tag or label (`1.31.1`, `1.31.1-distroless`), or None where there is none."""
        match = _PATTERN.match(tag)
        return cls(int(match[1]), int(match[2]), int(match[3])) if match else None

    def minors_ahead_of(self, other: Version) -> int:
        """How many minor releases self is newer than other; negative where it is older."""
        return (self.major - other.major) * 1000 + self.minor - other.minor

    def __str__(self) -> str:
        base = f"{self.major}.{self.minor}.{self.patch}"
        return f"{base}-{self.suffix}" if self.suffix else base
