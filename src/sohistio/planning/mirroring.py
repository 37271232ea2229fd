"""What mirroring would do: every needed image looked up at its source and at the environment's hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sohistio.adapters.bundle.layout import Layout
from sohistio.adapters.bundle.served import served
from sohistio.adapters.registry.client import Registry
from sohistio.adapters.registry.errors import DeniedError, UnusableError
from sohistio.adapters.registry.manifests import Content, read_content
from sohistio.environments.images_lock import NAME, Pins, read_images_lock
from sohistio.errors import UsageError
from sohistio.images.mirroring import Action, Decision, Found, decide
from sohistio.images.targets import is_same_place, registry_of, source_of
from sohistio.model.image import Image
from sohistio.planning.images import needed_images
from sohistio.planning.registries import Sources, own_registry, own_sources
from sohistio.planning.session import Session
from sohistio.system.parallel import side_by_side

# Fewer pulls than this left at the source are worth a word.
_FEW_PULLS = 20


@dataclass(frozen=True, slots=True)
class Sides:
    """The registries that images come from, and the one of the environment's hub.

    `trusted` is a folder whose ca.crt signed the source's certificate, where that is a bundle; else None.
    """

    source: Sources
    target: Registry
    trusted: Path | None = None

    def give_up(self) -> None:
        """End every wait between attempts and for answers, in all threads."""
        self.source.give_up()
        self.target.give_up()


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """`content` is of an image to be copied, else None."""

    decision: Decision
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class MirrorPlan:
    """What becomes of each image. `elsewhere` are needed ones that are not below istio.hub by a tag; `lock` is the file
    of pins, and `unpinned` whether one of them is missing there."""

    environment: str
    version: str
    source: str
    hub: str
    lock: Path
    images: tuple[PlannedImage, ...]
    elsewhere: tuple[Image, ...]
    unpinned: bool
    pulls_left: int | None

    def of(self, action: Action) -> tuple[PlannedImage, ...]:
        """The images with this action."""
        return tuple(image for image in self.images if image.decision.action is action)

    @property
    def copies(self) -> tuple[PlannedImage, ...]:
        """The images to be copied."""
        return self.of(Action.COPY)

    @property
    def bytes(self) -> int:
        """Of all that is to be copied."""
        return sum(image.content.bytes for image in self.images if image.content)

    @property
    def changes_pending(self) -> bool:
        """Whether there is something to copy or to pin."""
        return self.unpinned or bool(self.copies)

    @property
    def danger(self) -> str:
        """What needs approval: a tag at the target gets another image. Empty for nothing."""
        replaced = [image for image in self.images if image.decision.replaces]
        if not replaced:
            return ""
        return f"replaces {len(replaced)} image{'s' if len(replaced) > 1 else ''} at {self.hub}"

    @property
    def notices(self) -> tuple[str, ...]:
        """What else is worth reading."""
        needed = sum(image.content.pulls for image in self.images if image.content)
        few = self.pulls_left is not None and self.pulls_left < max(needed, _FEW_PULLS)
        pulls = f"{registry_of(self.source)} lets {self.pulls_left} more manifests be pulled, and this needs {needed}"
        beyond = f"not mirrored, because not below istio.hub by a tag: {', '.join(map(str, self.elsewhere))}"
        return (*((pulls,) if few and needed else ()), *((beyond,) if self.elsewhere else ()))


@contextmanager
def both_sides(session: Session) -> Iterator[Sides]:
    """The registries of an environment, with the logins of this user. Raises UsageError, RefusedError."""
    environment = session.environment
    hub, source = environment.istio.hub, environment.images.source
    if is_same_place(hub, source):
        raise UsageError(
            f"istio.hub of {environment.name} is {hub}, which is where its images are published",
            todo="There is nothing to mirror; set istio.hub to a registry of your own (or images.source to another).",
        )
    with ExitStack() as stack:
        target = stack.enter_context(own_registry(session, hub))
        if session.bundle is None:
            yield Sides(stack.enter_context(own_sources(session)), target)
            return
        bundle = stack.enter_context(served(Layout(session.bundle.images)))
        from_bundle = Registry(bundle.host, None, session.say, authority=bundle.authority)
        yield Sides(Sources(stack.enter_context(from_bundle)), target, bundle.folder)


def plan_mirror(session: Session, sides: Sides) -> MirrorPlan:
    """Look at both sides and at the pins, several images at a time. Writes nothing.

    Raises UsageError, and RefusedError where a registry cannot be asked at all.
    """
    environment = session.environment
    hub, source = environment.istio.hub, environment.images.source
    lock = session.root / NAME
    pins = read_images_lock(lock)
    pairs, elsewhere = [], []
    for target in dict.fromkeys(needed.image.by_tag for needed in needed_images(session, session.version)):
        published = source_of(target, hub, source)
        if published is None or not target.tag:
            elsewhere.append(target)
        else:
            pairs.append((published, target))
    images = side_by_side(lambda pair: _planned(sides, pins, *pair), pairs, interrupted=sides.give_up)
    return MirrorPlan(
        environment=environment.name,
        version=str(session.version),
        source=source,
        hub=hub,
        lock=lock,
        images=tuple(images),
        elsewhere=tuple(elsewhere),
        unpinned=any(_is_unpinned(image.decision, pins) for image in images),
        pulls_left=sides.source.main.pulls_left,
    )


def _planned(sides: Sides, pins: Pins, source: Image, target: Image) -> PlannedImage:
    found, denied = None, ""
    try:
        found = sides.source.of(source).digest(source)
    except DeniedError as error:
        denied = error.what
    decision = decide(source, target, Found(found, sides.target.digest(target), pins.get(source), denied))
    if decision.action is not Action.COPY:
        return PlannedImage(decision)
    try:
        return PlannedImage(decision, read_content(sides.source.of(source), decision.pinned_source))
    except UnusableError as error:
        return PlannedImage(replace(decision, action=Action.REFUSE, reason=error.what))


def _is_unpinned(decision: Decision, pins: Pins) -> bool:
    return decision.action is not Action.REFUSE and pins.get(decision.source) != decision.digest
