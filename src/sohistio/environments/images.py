"""Where the images of an environment's hub are from."""

from __future__ import annotations

from pydantic import Field

from sohistio.environments.values import Hub, Part


class Images(Part):
    """What `sohistio images mirror` copies to istio.hub."""

    source: Hub = Field("docker.io/istio", description="Where Istio's images are published")
