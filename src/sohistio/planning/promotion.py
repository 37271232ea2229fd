"""What `sohistio promote` reads: the source's cluster as a plan sees it, and the images in the target's hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sohistio.adapters.kubernetes.holder import Holder
from sohistio.adapters.kubernetes.lease import holder_of
from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.errors import RegistryError
from sohistio.environments.images_lock import NAME, Pins, read_images_lock
from sohistio.environments.promotion_chain import words_of
from sohistio.errors import RefusedError, UsageError
from sohistio.images.pins import pin_of
from sohistio.images.pulls import Pull, PullOutcome
from sohistio.model.image import Image
from sohistio.model.versions import Version
from sohistio.modes.install_plan import Request
from sohistio.planning.images import needed_images
from sohistio.planning.install import plan_install
from sohistio.planning.planned import Planned
from sohistio.planning.reads import or_refused, unreadable
from sohistio.planning.registries import PATIENCE, ask_each, registries_of
from sohistio.planning.session import Session
from sohistio.planning.target_cluster import check_right_cluster


@dataclass(frozen=True, slots=True)
class SourceLook:
    """The source's cluster now: what an install would do there, and who holds the lock."""

    planned: Planned
    holder: Holder | None


def look_at_source(session: Session) -> SourceLook:
    """Read the source's cluster. Raises RefusedError where it is not the right one, or cannot be read."""
    check_right_cluster(session)
    planned = plan_install(session, Request())
    if planned.state.unreadable:
        raise unreadable(planned.state)
    return SourceLook(planned, or_refused("the lock could not be read", lambda: holder_of(session.api)))


def chosen_source(chain: tuple[str, ...], asked: str | None) -> str:
    """The environment that the last one of a chain is promoted from.

    Raises UsageError where the files name none, RefusedError where another one is asked for.
    """
    target = chain[-1]
    if len(chain) < 2:
        raise UsageError(
            f"nothing says which environment {target} is promoted from",
            todo=f"Set `promotesFrom: {asked or 'NAME'}` in environments/{target}/environment.yaml.",
        )
    source = chain[-2]
    if asked not in (None, source):
        what = f"skips {source}" if asked in chain[:-2] else "is not in its chain"
        raise RefusedError(
            f"{target} is promoted from {source}; --from {asked} {what}",
            details=(words_of(chain),),
            todo=f"Give --from {source}, or leave it out. What has not been in {source} does not get to {target}.",
        )
    return source


def look_at_hub(session: Session, version: Version, *, pinned: bool) -> tuple[Pull, ...]:
    """Each image of a version in the environment's hub, asked for with this user's own logins.

    Where images are `pinned`, each has the digest of images.lock to meet. Empty where nothing is pulled, in a sandbox.
    Raises RefusedError, UsageError where the images cannot be listed.
    """
    places = session.environment.images.source, session.environment.istio.hub
    pins: Pins = read_images_lock(session.root / NAME) if pinned else {}
    images = [needed.image for needed in needed_images(session, version)]
    with registries_of(session, images, PATIENCE) as registries:

        def ask(image: Image) -> Pull | None:
            pin = pin_of(image, pins, places)
            if image.registry in registries:
                return _asked(registries[image.registry], image, pin)
            unasked = Pull(image, (), PullOutcome.UNKNOWN, pin=pin, said="its login cannot be read")
            return None if session.sandbox else unasked

        return tuple(pull for pull in ask_each(registries, ask, images) if pull is not None)


def unpinned(pulls: Sequence[Pull]) -> tuple[str, ...]:
    """The images without a pin, by name and tag."""
    return tuple(dict.fromkeys(f"{pull.image.name}:{pull.image.tag}" for pull in pulls if not pull.pin))


def _asked(registry: Registry, image: Image, pin: str) -> Pull:
    try:
        digest = registry.digest(image)
    except RegistryError as error:
        return Pull(image, (), PullOutcome.UNKNOWN, pin=pin, said="; ".join((error.what, *error.details[:1])))
    if digest is None:
        return Pull(image, (), PullOutcome.MISSING, pin=pin)
    return Pull(image, (), PullOutcome.THERE, pin=pin, digest=digest)
