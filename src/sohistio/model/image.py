"""The name of a container image, taken apart as container runtimes do it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from sohistio.errors import UsageError

DOCKER_HUB = "docker.io"
PUBLISHED = f"{DOCKER_HUB}/istio"
"""Where Istio publishes its images. Its other public hubs close at the end of 2026 (Istio's blog)."""
_DOCKER_HUBS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONG = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_PART = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_REGISTRY = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")


def is_digest(text: str) -> bool:
    """Whether it is a digest as sohistio takes them: sha256 and 64 lower-case hex digits."""
    return _DIGEST.fullmatch(text) is not None


def tag_of(text: str) -> str:
    """The tag in an image's name, which a digest may follow; empty where there is none. Takes any text."""
    return text.partition("@")[0].rpartition("/")[2].partition(":")[2]


def brief(text: str) -> str:
    """An image's name for people: of a digest only the beginning, as container runtimes show it."""
    return _LONG.sub(r"\1", text)


@dataclass(frozen=True, slots=True, order=True)
class Image:
    """`registry/path:tag@digest`: registry and path are never empty; a tag, a digest or both say which image."""

    registry: str
    path: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Image:
        """Read `pilot`, `istio/pilot:1.31.1`, `host:5000/a/b@sha256:…`; Docker Hub's short names are made whole.

        Without tag and digest it is `latest`, as for a container runtime. Raises UsageError for anything else.
        """
        rest, at, digest = text.partition("@")
        head, slash, tail = rest.partition("/")
        if slash and ("." in head or ":" in head or head == "localhost"):
            registry, rest = head, tail
        else:
            registry = DOCKER_HUB
        registry = DOCKER_HUB if registry in _DOCKER_HUBS else registry
        path, colon, tag = rest.partition(":")
        if registry == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        found = cls(registry, path, tag if colon else "" if at else "latest", digest)
        if not found._is_valid(has_tag=bool(colon), has_digest=bool(at)):
            raise UsageError(
                f"{text!r} is not the name of an image", todo="Expected registry/path:tag, or with @sha256:…."
            )
        return found

    @property
    def repository(self) -> str:
        """Registry and path, without tag and digest."""
        return f"{self.registry}/{self.path}"

    @property
    def name(self) -> str:
        """The last part of the path, such as `pilot`."""
        return self.path.rpartition("/")[2]

    def pinned(self, digest: str) -> Image:
        """The same with this digest."""
        return replace(self, digest=digest)

    @property
    def by_tag(self) -> Image:
        """The same without its digest."""
        return replace(self, digest="")

    def _is_valid(self, *, has_tag: bool, has_digest: bool) -> bool:
        return (
            _REGISTRY.fullmatch(self.registry) is not None
            and all(_PART.fullmatch(part) for part in self.path.split("/"))
            and (not has_tag or _TAG.fullmatch(self.tag) is not None)
            and (not has_digest or is_digest(self.digest))
        )

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}{f'@{self.digest}' if self.digest else ''}"
