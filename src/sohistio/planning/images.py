"""Which images a version of an environment needs, with their pins. No cluster is asked."""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.environments.images_lock import NAME, read_images_lock
from sohistio.errors import RefusedError, UsageError
from sohistio.images.needed import Needed, needed_of
from sohistio.images.pins import pin_of
from sohistio.images.targets import source_of
from sohistio.model.image import Image
from sohistio.model.versions import Version
from sohistio.planning.declared_monitoring import unpinned_monitoring
from sohistio.planning.platforms import platforms_of
from sohistio.planning.session import Session


@dataclass(frozen=True, slots=True)
class ListedImage:
    """A needed image, by tag. `source` is None where it is not of the hub; `digest` and `platforms` are empty where
    they are not known."""

    needed: Needed
    source: Image | None
    digest: str = ""
    platforms: tuple[str, ...] = ()


def needed_images(session: Session, version: Version) -> tuple[Needed, ...]:
    """The images that a version needs, in the environment's hub and by tag, as the version's own istioctl says; and
    those of the environment's monitoring.

    Raises RefusedError with istioctl's words, or naming an image that is none.
    """
    try:
        return needed_of([*session.unpinned_objects(version), *unpinned_monitoring(session.environment)])
    except UsageError as error:
        raise RefusedError(
            f"the images of {session.environment.name} with Istio {version} cannot be listed: {error.what}",
            todo="Correct istiooperator.yaml.",
        ) from error


def listed_images(session: Session, version: Version) -> tuple[ListedImage, ...]:
    """The images that a version needs, with their source, what images.lock says, and platforms where the hub answers.

    Raises RefusedError, UsageError.
    """
    pins = read_images_lock(session.root / NAME)
    hub, published = session.environment.istio.hub, session.environment.images.source
    needed = needed_images(session, version)
    platforms = platforms_of(session, [item.image for item in needed])
    found = []
    for item, of_it in zip(needed, platforms, strict=True):
        source = source_of(item.image.by_tag, hub, published)
        found.append(ListedImage(item, source, pin_of(item.image, pins, (published, hub)), of_it))
    return tuple(found)
