"""Which images a version of an environment needs, with their pins. No cluster is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sohistio.adapters.kubernetes.manifest import read_manifest
from sohistio.environments.images_lock import NAME, read_images_lock
from sohistio.errors import FailedError, RefusedError, UsageError
from sohistio.images.needed import Needed, needed_of, to_inject
from sohistio.images.targets import source_of
from sohistio.model.image import Image
from sohistio.model.sidecar import Injector
from sohistio.model.versions import Version
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
    """The images that a version needs, in the environment's hub, as the version's own istioctl says.

    Raises RefusedError with istioctl's words.
    """
    _, manifest = session.render(version, session.operator_yaml(version))
    try:
        return needed_of([*manifest, *_injected(session, version, manifest)])
    except (FailedError, UsageError) as error:
        raise RefusedError(
            f"the images of {session.environment.name} with Istio {version} cannot be listed",
            details=(error.what, *error.details),
            todo="Correct istiooperator.yaml, or see what istioctl renders: "
            f"`sohistio render --env {session.environment.name} | istioctl manifest generate -f -`.",
        ) from error


def listed_images(session: Session, version: Version) -> tuple[ListedImage, ...]:
    """The images that a version needs, with their source and what images.lock says. Raises RefusedError, UsageError."""
    pins = read_images_lock(session.root / NAME)
    hub = session.environment.istio.hub
    found = []
    for needed in needed_images(session, version):
        source = source_of(needed.image, hub, session.environment.images.source)
        digest = needed.image.digest or (pins.get(source.by_tag, "") if source else "")
        found.append(ListedImage(needed, source, digest))
    return tuple(found)


def _injected(session: Session, version: Version, manifest: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the manifest's own injector makes of what it is asked about."""
    import yaml

    injector = Injector.from_manifest(manifest)
    if injector is None:
        return []
    asked = yaml.safe_dump_all([dict(item) for item in to_inject(manifest)])
    return read_manifest(session.istioctl(version).inject(asked, injector))
