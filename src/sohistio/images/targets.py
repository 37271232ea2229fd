"""An image where it is published (source) and in an environment's hub (target): equal but for the place. Pure."""

from __future__ import annotations

from dataclasses import replace

from sohistio.model.image import PUBLISHED, Image
from sohistio.model.monitoring import RELEASES, Part

_ISTIOS_HUBS = frozenset({PUBLISHED, "istio", "gcr.io/istio-release", "registry.istio.io/release"})
"""Where Istio itself publishes: there are no other programs' images."""


def source_of(target: Image, hub: str, source: str = PUBLISHED) -> Image | None:
    """Where an image of the hub is published; None for an image that is not in the hub, which nobody mirrors.

    >>> str(source_of(Image.parse("jfrog.example.com/docker/istio/pilot:1.31.1"), "jfrog.example.com/docker/istio"))
    'docker.io/istio/pilot:1.31.1'
    """
    if source == PUBLISHED and (release := _releases(hub).get(target.by_tag)):
        return replace(release, digest=target.digest)
    # A hub may be written short, as `istio` for docker.io/istio.
    place = Image.parse(f"{hub}/{target.name}").repository.removesuffix(target.name)
    if not target.repository.startswith(place):
        return None
    moved = Image.parse(f"{source}/{target.repository.removeprefix(place)}")
    return replace(moved, tag=target.tag, digest=target.digest)


def monitoring_image(part: Part, hub: str, source: str = PUBLISHED) -> Image:
    """The image that a part of monitoring runs: below the hub, as all others; where nothing is mirrored, as published.

    >>> str(monitoring_image(Part.GRAFANA, "jfrog.example.com/docker/istio")).rpartition(":")[0]
    'jfrog.example.com/docker/istio/grafana'
    """
    release = RELEASES[part]
    if hub in _ISTIOS_HUBS and source == PUBLISHED:
        return Image.parse(f"{release.published}:{release.tag}")
    return Image.parse(f"{hub}/{part}:{release.tag}")


def _releases(hub: str) -> dict[Image, Image]:
    """Where each image of monitoring in the hub is published: every program has a place of its own."""
    return {
        Image.parse(f"{hub}/{part}:{release.tag}"): Image.parse(f"{release.published}:{release.tag}")
        for part, release in RELEASES.items()
    }


def is_same_place(hub: str, source: str) -> bool:
    """Whether both are the same registry and path."""
    return Image.parse(f"{hub}/name") == Image.parse(f"{source}/name")


def registry_of(hub: str) -> str:
    """The registry that a hub is in, as it is in the names of images."""
    return Image.parse(f"{hub}/name").registry
