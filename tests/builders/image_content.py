"""Images made on the spot: small random layers, a configuration and a manifest for each platform, an index."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PLATFORMS = ("linux/amd64", "linux/arm64")


@dataclass(frozen=True)
class ImageContent:
    """An index (its bytes), the manifests below it and all blobs, by digest."""

    index: bytes
    manifests: dict[str, bytes]
    blobs: dict[str, bytes]

    @property
    def digest(self) -> str:
        return digest_of(self.index)

    @property
    def bytes(self) -> int:
        return sum(map(len, self.blobs.values()))


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def image_content(platforms: tuple[str, ...] = PLATFORMS, *, layers: int = 2, size: int = 2000) -> ImageContent:
    """A new image; each platform has as many layers of so many random bytes."""
    blobs: dict[str, bytes] = {}
    manifests: dict[str, bytes] = {}
    entries = []
    for platform in platforms:
        system, architecture = platform.split("/")
        packed = [gzip.compress(os.urandom(size), 0) for _ in range(layers)]
        fs = {"type": "layers", "diff_ids": [digest_of(gzip.decompress(layer)) for layer in packed]}
        config = json.dumps({"os": system, "architecture": architecture, "config": {}, "rootfs": fs}).encode()
        parts = [_part("application/vnd.oci.image.layer.v1.tar+gzip", layer) for layer in packed]
        manifest = _json(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": _part("application/vnd.oci.image.config.v1+json", config),
                "layers": parts,
            }
        )
        blobs |= {digest_of(blob): blob for blob in (config, *packed)}
        manifests[digest_of(manifest)] = manifest
        entries.append(_part(MANIFEST, manifest) | {"platform": {"os": system, "architecture": architecture}})
    index = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
    return ImageContent(index, manifests, blobs)


def _part(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()
