"""Whether an image is copied: by what its source has, what its target has, and what is pinned. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sohistio.model.image import Image


class Action(StrEnum):
    """What becomes of an image."""

    COPY = "copy"
    SKIP = "skip"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Found:
    """The digests that a tag has; None where there is none. `denied` is why the source could not be asked."""

    source: str | None
    target: str | None
    pin: str | None
    denied: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """`digest` is the right one, empty where that is not known; `replaces` what the target has instead, if anything."""

    source: Image
    target: Image
    action: Action
    digest: str
    reason: str
    replaces: str = ""

    @property
    def pinned_source(self) -> Image:
        """The source by tag and digest: a tag may move between the look at it and the copy."""
        return self.source.pinned(self.digest)


def decide(source: Image, target: Image, found: Found) -> Decision:
    """A target that has the right digest is skipped; a tag that is not what is pinned is refused."""

    def decision(action: Action, digest: str | None, reason: str, replaces: str = "") -> Decision:
        return Decision(source, target, action, digest or "", reason, replaces)

    right = found.pin or found.source
    if found.source is None:
        why = found.denied or f"{source.registry} has no such image"
        if found.pin is not None and found.target == found.pin:
            return decision(Action.SKIP, found.pin, f"the target has what is pinned ({why})")
        return decision(Action.REFUSE, found.pin, why)
    if found.pin is not None and found.source != found.pin:
        has_pinned = "; the target has what is pinned" if found.target == found.pin else ""
        return decision(
            Action.REFUSE,
            found.pin,
            f"the tag moved: images.lock has {found.pin}, the source {found.source} now{has_pinned}",
        )
    if found.target == right:
        return decision(Action.SKIP, right, "is there")
    if found.target is None:
        return decision(Action.COPY, right, "is missing")
    return decision(Action.COPY, right, "the target has another digest under this tag", found.target)
