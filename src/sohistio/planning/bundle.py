"""What a bundle would hold: every image by its digest, istioctl's archives by their checksums. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sohistio.adapters.registry.manifests import Content, read_content
from sohistio.adapters.releases.mirror import PLATFORMS, Platform
from sohistio.environments.images_lock import NAME, Pins, read_images_lock
from sohistio.errors import RefusedError, UsageError
from sohistio.images.targets import source_of
from sohistio.model.image import Image
from sohistio.model.nearest import did_you_mean
from sohistio.planning.images import needed_images
from sohistio.planning.registries import Sources
from sohistio.planning.session import Session


@dataclass(frozen=True, slots=True)
class BundledImage:
    """An image by tag and digest where it is published, and what it consists of."""

    image: Image
    content: Content


@dataclass(frozen=True, slots=True)
class BundlePlan:
    """What goes into a bundle. `pins` are those of images.lock, with every image of the bundle."""

    environment: str
    version: str
    environments: Path
    images: tuple[BundledImage, ...]
    platforms: tuple[Platform, ...]
    pins: Pins

    @property
    def bytes(self) -> int:
        """Of the images' blobs, each once."""
        blobs = {digest: size for item in self.images for digest, size in item.content.blobs.items()}
        return sum(blobs.values())


_USUAL = ("linux-amd64", "linux-arm64")


def platforms_of(names: Sequence[str]) -> tuple[Platform, ...]:
    """The platforms of istioctl by their names, the usual ones of pipelines' agents for none. Raises UsageError."""
    known = {str(platform): platform for platform in PLATFORMS}
    chosen = tuple(dict.fromkeys(names)) or _USUAL
    if unknown := [name for name in chosen if name not in known]:
        raise UsageError(
            f"--platform {unknown[0]!r} is none that istioctl is released for",
            todo=did_you_mean(unknown[0], known, f"Known: {', '.join(known)}."),
        )
    return tuple(known[name] for name in chosen)


def plan_bundle(session: Session, sources: Sources, platforms: Sequence[Platform]) -> BundlePlan:
    """Look every image up at its source; a pinned digest wins over what the tag has now.

    Raises RefusedError where an image is not there, UsageError for one that is of neither hub nor source.
    """
    environment, version = session.environment, session.version
    pins = read_images_lock(session.root / NAME)
    found, missing = [], []
    for needed in needed_images(session, version):
        published = source_of(needed.image, environment.istio.hub, environment.images.source)
        if published is None:
            raise UsageError(
                f"{needed.image} is not below istio.hub, so that its source is not known",
                todo="Take it from istio.hub (istiooperator.yaml), or bundle another version.",
            )
        by_tag = published.by_tag
        digest = pins.get(by_tag) or sources.of(by_tag).digest(by_tag)
        if digest is None:
            missing.append(str(by_tag))
        else:
            image = by_tag.pinned(digest)
            found.append(BundledImage(image, read_content(sources.of(image), image)))
    if missing:
        raise RefusedError(
            f"{sources.main.host} does not have every image of Istio {version}",
            details=tuple(missing),
            todo="Check the version, and images.source in environment.yaml. Nothing was written.",
        )
    all_pins = {**pins, **{item.image.by_tag: item.image.digest for item in found}}
    return BundlePlan(environment.name, str(version), session.root, tuple(found), tuple(platforms), all_pins)
