"""What images are for, as their registry says; a registry that does not say stops nothing."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.errors import RegistryError
from sohistio.adapters.registry.manifests import read_platforms
from sohistio.adapters.releases.downloads import Patience
from sohistio.model.image import Image
from sohistio.planning.registries import ask_each, registries_of
from sohistio.planning.session import Session

# A list is no reason to wait for a registry.
_PATIENCE = Patience(attempts=1, connect=3.0, silence=5.0)


def platforms_of(session: Session, images: Sequence[Image]) -> tuple[tuple[str, ...], ...]:
    """The platforms of each image, with this user's own logins; empty where they are not known.

    A sandbox pulls nothing, so no registry is asked there, unless it is on this machine.
    """
    with registries_of(session, images, _PATIENCE) as registries:

        def ask(image: Image) -> tuple[tuple[str, ...], str]:
            return _ask(registries[image.registry], image) if image.registry in registries else ((), "")

        answers = ask_each(registries, ask, images)
    for why in dict.fromkeys(why for _, why in answers if why):
        session.say(f"{why}: platforms are not known")
    return tuple(found for found, _ in answers)


def _ask(registry: Registry, image: Image) -> tuple[tuple[str, ...], str]:
    """The platforms, and why they are not known."""
    try:
        digest = registry.digest(image)
        return (read_platforms(registry, image.pinned(digest)), "") if digest else ((), "")
    except RegistryError as error:
        return (), error.what
