"""Istio versions, and the version skew that Istio supports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from sohistio.errors import UsageError
from sohistio.model.image import tag_of

# Of a tag's suffix only this is the version; the rest is a build's variant (distroless, debug, a company's own).
_PRERELEASE = re.compile(r"(?:alpha|beta|rc)[0-9A-Za-z.]*")
# A tag has at most 128 characters (OCI Distribution Specification); of a longer number Python makes none.
_PATTERN = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?:-([0-9A-Za-z][0-9A-Za-z.-]{0,127}))?")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """An Istio release such as 1.31.1, or a pre-release such as 1.32.0-rc.1, which is older than its release.

    Ordered as Semantic Versioning 2.0.0 does (item 11).
    """

    major: int
    minor: int
    patch: int
    suffix: str = ""

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read `1.31.1`; raises UsageError for anything else, `v1.31.1` and `latest` included."""
        match = _PATTERN.fullmatch(text)
        version = cls(int(match[1]), int(match[2]), int(match[3]), match[4] or "") if match else None
        if version is None or str(version) != text:  # no release has a number such as 1.031.1
            raise UsageError(
                f"{text!r} is not an Istio version",
                todo="Give a full release number such as 1.31.1.",
            )
        return version

    @classmethod
    def from_tag(cls, tag: str) -> Version | None:
        """The version in an image tag or label, or None where there is none.

        `1.31.1-distroless` is 1.31.1, `1.32.0-beta.1-distroless` is 1.32.0-beta.1.
        """
        match = _PATTERN.match(tag)
        if match is None:
            return None
        prerelease = _PRERELEASE.match(match[4] or "")
        return cls(int(match[1]), int(match[2]), int(match[3]), prerelease[0] if prerelease else "")

    @classmethod
    def from_image(cls, image: str) -> Version | None:
        """The version in the tag of an image, which a digest may follow, or None where there is none."""
        return cls.from_tag(tag_of(image))

    def minors_ahead_of(self, other: Version) -> int:
        """How many minor releases self is newer than other; negative where it is older."""
        return (self.major - other.major) * 1000 + self.minor - other.minor

    def __lt__(self, other: Version) -> bool:
        return self._precedence() < other._precedence()

    def _precedence(self) -> tuple[int, int, int, bool, list[tuple[bool, int, str]]]:
        """A release is above its pre-releases; numeric identifiers go by number and below the others."""
        identifiers = [
            (False, int(part), "") if part.isdecimal() else (True, 0, part) for part in self.suffix.split(".")
        ]
        return self.major, self.minor, self.patch, not self.suffix, identifiers

    def __str__(self) -> str:
        base = f"{self.major}.{self.minor}.{self.patch}"
        return f"{base}-{self.suffix}" if self.suffix else base
