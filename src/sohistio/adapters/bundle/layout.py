"""Images in a folder: an OCI image layout (opencontainers/image-spec, image-layout.md), every blob by its digest.

Docker's older types of manifests are kept as they are: another type would be another digest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sohistio.errors import NotObtainedError, UsageError
from sohistio.model.image import Image, is_digest

_VERSION = {"imageLayoutVersion": "1.0.0"}
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
# Here an index keeps the name of an image (image-spec, annotations.md).
_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout in `folder`."""

    folder: Path

    def blob(self, digest: str) -> Path:
        """Where a blob or manifest is. `digest` is one that `is_digest` knows."""
        return self.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")

    def write_index(self, images: dict[Image, str]) -> None:
        """Image by tag → digest of its manifest or index, which are there already. Raises OSError."""
        described = [
            {
                "mediaType": self.media_type(digest),
                "digest": digest,
                "size": self.blob(digest).stat().st_size,
                "annotations": {_NAME: str(image)},
            }
            for image, digest in sorted(images.items())
        ]
        index = {"schemaVersion": 2, "mediaType": _INDEX_TYPE, "manifests": described}
        (self.folder / "oci-layout").write_text(json.dumps(_VERSION), encoding="utf-8")
        (self.folder / "index.json").write_text(json.dumps(index), encoding="utf-8")

    def images(self) -> dict[Image, str]:
        """Image by tag → digest. Raises NotObtainedError for a folder that is no such layout."""
        try:
            index = json.loads((self.folder / "index.json").read_text(encoding="utf-8"))
            found = {Image.parse(item["annotations"][_NAME]): str(item["digest"]) for item in index["manifests"]}
        except (OSError, ValueError, KeyError, TypeError, RecursionError, UsageError) as error:
            raise NotObtainedError(
                f"there are no images in {self.folder}",
                details=(f"{type(error).__name__}: {error}",),
                todo="Make the bundle again with `sohistio bundle`.",
            ) from error
        return {image: digest for image, digest in found.items() if is_digest(digest)}

    def media_type(self, digest: str) -> str:
        """Of a manifest or index: what it says itself, else what it looks like."""
        try:
            parsed: Any = json.loads(self.blob(digest).read_bytes())
        except (ValueError, RecursionError):
            parsed = None
        said = parsed if isinstance(parsed, dict) else {}
        return str(said.get("mediaType") or (_INDEX_TYPE if "manifests" in said else _MANIFEST_TYPE))
