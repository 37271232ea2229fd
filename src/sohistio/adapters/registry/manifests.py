"""What an image consists of: an index of manifests, one a platform, each with its configuration and layers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.errors import RegistryError, UnusableError
from sohistio.model.image import Image, is_digest

_INDEXES = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
_MOST_MANIFESTS = 64
_UNKNOWN = "unknown"  # the platform of an attestation (Docker's BuildKit), which runs nowhere


@dataclass(frozen=True, slots=True)
class Content:
    """All that a digest stands for. `manifests` are those below an index; `blobs` is digest → bytes, each once.

    `platforms` is empty where there is no index: a manifest does not say what it is for.
    """

    digest: str
    platforms: tuple[str, ...]
    manifests: tuple[str, ...] = ()
    blobs: Mapping[str, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Of all blobs, as they are sent."""
        return sum(self.blobs.values())

    @property
    def pulls(self) -> int:
        """How many manifests are fetched with it."""
        return 1 + len(self.manifests)


def read_content(registry: Registry, image: Image) -> Content:
    """What an image (by digest) consists of; every manifest is checked against its digest. Raises RegistryError."""
    top = _parsed(registry, image)
    if not _is_index(top):
        return Content(image.digest, (), (), _blobs(image, top))
    children = top.get("manifests")
    if not isinstance(children, list) or not 0 < len(children) <= _MOST_MANIFESTS:
        raise _unusable(image, f"an index of more than {_MOST_MANIFESTS} manifests, or of none")
    digests: list[str] = []
    blobs: dict[str, int] = {}
    for child in children:
        digest = str(child.get("digest", "")) if isinstance(child, dict) else ""
        if not is_digest(digest):
            raise _unusable(image, "an index that names no digests")
        parsed = _parsed(registry, image.pinned(digest))
        if _is_index(parsed):
            raise _unusable(image, "an index within an index")
        digests.append(digest)
        blobs |= _blobs(image, parsed)
    platforms = _platforms([child.get("platform") or {} for child in children])
    return Content(image.digest, platforms, tuple(dict.fromkeys(digests)), blobs)


def read_platforms(registry: Registry, image: Image) -> tuple[str, ...]:
    """The platforms of an image's index (by digest); empty where it has none. One pull. Raises RegistryError."""
    top = _parsed(registry, image)
    children = top.get("manifests")
    if not _is_index(top) or not isinstance(children, list):
        return ()
    return _platforms([child.get("platform") or {} for child in children if isinstance(child, dict)])


def _parsed(registry: Registry, image: Image) -> dict[str, Any]:
    raw = registry.manifest(image)
    if raw is None:
        raise RegistryError(f"{registry.host} has no manifest {image}", todo="An index there names it: push it again.")
    try:
        parsed = json.loads(raw.body)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise _unusable(image, "something that is no JSON object")
    return {"mediaType": raw.media_type, **parsed}


def _is_index(parsed: Mapping[str, Any]) -> bool:
    return parsed.get("mediaType") in _INDEXES


def _blobs(image: Image, parsed: Mapping[str, Any]) -> dict[str, int]:
    """Configuration and layers; a layer with `urls` is fetched from there, and no registry has it."""
    layers = parsed.get("layers")
    if not isinstance(layers, list) or not layers:
        raise _unusable(image, "a manifest without layers")
    found = {}
    for part in (parsed.get("config"), *layers):
        digest, size = (part.get("digest"), part.get("size")) if isinstance(part, dict) else (None, None)
        if not is_digest(str(digest)) or type(size) is not int or size < 0:
            raise _unusable(image, "a manifest with a part that has no digest or no size")
        if not part.get("urls"):
            found[str(digest)] = size
    return found


def _platforms(found: list[Any]) -> tuple[str, ...]:
    """`linux/amd64`, `linux/arm64/v8`; nothing where a manifest does not say."""
    named = (
        "/".join(str(one[key]) for key in ("os", "architecture", "variant") if one.get(key))
        for one in found
        if isinstance(one, dict) and one.get("os", _UNKNOWN) != _UNKNOWN
    )
    return tuple(sorted(set(named)))


def _unusable(image: Image, what: str) -> UnusableError:
    return UnusableError(f"{image} is {what}", todo="sohistio takes images of Docker's version 2 and of OCI, only.")
