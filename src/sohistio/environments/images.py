"""Where the images of an environment's hub are from, and whose signature they have."""

from __future__ import annotations

from pydantic import Field

from sohistio.environments.values import Hub, Part, Text
from sohistio.model.image import PUBLISHED


class Images(Part):
    """What `sohistio images mirror` copies to istio.hub."""

    source: Hub = Field(PUBLISHED, description="Where Istio's images are published")
    cosign_key: Text | None = Field(
        None,
        description="Key of the images' signatures: a file, from the environment's folder, or a KMS URI",
    )
