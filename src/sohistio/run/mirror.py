"""Mirrors images: approved, copied, and pinned as soon as each is there."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from sohistio.adapters.registry.copy_tools import CopyTool
from sohistio.adapters.registry.copying import Copy
from sohistio.environments.images_lock import check_writable, read_images_lock, write_images_lock
from sohistio.environments.root import check_own
from sohistio.errors import ExitCode, FailedError, InterruptedRunError, RefusedError, SohistioError, UsageError
from sohistio.images.mirroring import Action, Decision
from sohistio.planning.mirroring import MirrorPlan, PlannedImage, Sides
from sohistio.planning.session import Session
from sohistio.run.copies import ImageResult, ImageState, Means, copies_by
from sohistio.system.interruption import ending_at_once
from sohistio.system.paths import state_dir


@dataclass(frozen=True, slots=True)
class MirrorResult:
    """What came of it, in the order of the plan. `not_pinned` is why images.lock lacks what is at the target."""

    plan: MirrorPlan
    images: tuple[ImageResult, ...]
    seconds: float
    pulls_left: int | None = None
    not_pinned: SohistioError | None = None

    @property
    def error(self) -> SohistioError | None:
        """What is not as it should be, every image by name; None where all are there."""
        states = {image.state for image in self.images}
        pinning = (self.not_pinned.what, *self.not_pinned.details) if self.not_pinned else ()
        if states & {ImageState.INTERRUPTED, ImageState.NOT_STARTED}:
            return InterruptedRunError(
                f"interrupted: {self.count(ImageState.COPIED)} of {len(self.plan.copies)} images were copied",
                details=pinning,
                todo="Run it again: what is there is not copied twice.",
            )
        lines = [line for image in self.images for line in _lines(image)]
        if self.not_pinned and not lines:
            return FailedError(
                f"{self.count(ImageState.COPIED)} images were copied, {self.count(ImageState.SKIPPED)} were there, and "
                "not all of them are pinned",
                details=pinning,
                todo=f"{self.not_pinned.remedy} Then run it again: what is there is not copied twice.",
            )
        if not lines:
            return None
        missing = self.count(ImageState.FAILED) + self.count(ImageState.REFUSED)
        return FailedError(
            f"{missing} of {len(self.images)} images are not mirrored",
            details=(*lines, *pinning),
            todo="Each is named with its reason; the others are there. Where a tag moved, ask why; to take the new "
            f"image, delete its line in {self.plan.lock} and mirror again. Then run it again.",
        )

    @property
    def exit_code(self) -> ExitCode:
        """130 after an interruption, 1 where an image is refused or failed."""
        return self.error.exit_code if self.error else ExitCode.OK

    def count(self, state: ImageState) -> int:
        """How many images ended so."""
        return sum(image.state is state for image in self.images)

    @property
    def bytes_copied(self) -> int:
        """Of the images that were copied."""
        copied = (image.planned.content for image in self.images if image.state is ImageState.COPIED)
        return sum(content.bytes for content in copied if content)


class MirrorReporter(Protocol):
    """Reported to from the run's own thread, in order."""

    def progress(self, copy: Copy) -> None:
        """More of it is there."""

    def note(self, line: str) -> None:
        """Something worth reading, such as why an image is tried again."""

    def finished(self, result: ImageResult) -> None:
        """An image's copy ended."""

    def can_ask(self) -> bool:
        """Whether there is somebody to ask."""

    def ask(self, question: str) -> str:
        """The answer, empty where nobody gave one."""


def ready_to_pin(session: Session) -> None:
    """Raises UsageError where the environments are not this user's to pin."""
    check_own(session.root, "pin")


def means_for(sides: Sides, tool: CopyTool | None, jobs: int, plan: MirrorPlan) -> Means:
    """What a run of the plan works with; it needs no tool where nothing is copied."""
    name = f"{plan.environment}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"
    return Means(sides, tool, jobs, state_dir() / "logs" / f"{name}.log", state_dir() / "logins")


def approve_mirror(plan: MirrorPlan, reporter: MirrorReporter, *, yes: bool) -> None:
    """Ask, or take `--yes` for an answer. What is only added needs none where nobody can be asked.

    Raises RefusedError, and UsageError where the pins could not be written.
    """
    if plan.changes_pending:
        check_writable(plan.lock)
    if yes or not plan.copies:
        return
    if not reporter.can_ask():
        if plan.danger:
            raise RefusedError(
                f"this plan {plan.danger}, and nobody approved it", todo="Read the plan, then give --yes."
            )
        return
    with ending_at_once("interrupted before anything was copied"):
        if reporter.ask("Go on? [y/N] ").lower() not in ("y", "yes"):
            raise RefusedError("not approved", todo="Nothing was copied.")


def mirror(plan: MirrorPlan, means: Means, reporter: MirrorReporter) -> MirrorResult:
    """Copy what the plan says; one that fails keeps none of the others back.

    Ctrl-C and SIGTERM end the tools, and what is not there yet is `interrupted` or `notStarted`. Pins that
    cannot be written are tried again with the next image's, and keep no image back either.
    """
    started = time.monotonic()
    ended = {planned.decision: _at_once(planned) for planned in plan.images}
    pins = _Pins(plan)
    pins.add(*(planned.decision for planned in plan.of(Action.SKIP)))
    if plan.copies:
        with copies_by(means) as copies:
            for event in copies.events(plan.copies):
                if isinstance(event, ImageResult):
                    if event.state is ImageState.COPIED:
                        pins.add(event.planned.decision)
                    ended[event.planned.decision] = event
                    reporter.finished(event)
                elif isinstance(event, Copy):
                    reporter.progress(event)
                else:
                    reporter.note(event)
    results = tuple(ended[planned.decision] for planned in plan.images)
    return MirrorResult(plan, results, time.monotonic() - started, means.sides.source.main.pulls_left, pins.error)


def _at_once(planned: PlannedImage) -> ImageResult:
    states = {
        Action.SKIP: ImageState.SKIPPED,
        Action.REFUSE: ImageState.REFUSED,
        Action.COPY: ImageState.NOT_STARTED,
    }
    return ImageResult(planned, states[planned.decision.action])


@dataclass
class _Pins:
    """Pins, written at once: a run that is killed keeps what it has. `error` is why the `open` ones are not written."""

    plan: MirrorPlan
    open: list[Decision] = field(default_factory=list)
    error: UsageError | None = None

    def add(self, *decisions: Decision) -> None:
        """Pin these, and what could not be written before. The file is read again: somebody may have edited it."""
        self.open += decisions
        try:
            before = read_images_lock(self.plan.lock)
            pins = before | {decision.source: decision.digest for decision in self.open}
            if pins != before:
                write_images_lock(self.plan.lock, pins)
        except UsageError as error:
            self.error = error
        else:
            self.open, self.error = [], None


def _lines(image: ImageResult) -> list[str]:
    decision = image.planned.decision
    if image.state is ImageState.REFUSED:
        return [f"{decision.source}: {decision.reason}"]
    if image.error is None:
        return []
    return [f"{decision.source}: {image.error.what}", *(f"  {line}" for line in image.error.details)]
