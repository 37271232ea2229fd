"""Mirroring as people and pipelines read it: the plan, how far the copies are, what came of them."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from sohistio.adapters.registry.copying import Copy
from sohistio.errors import ExitCode
from sohistio.images.mirroring import Action
from sohistio.output.console import console
from sohistio.output.error_text import print_error
from sohistio.output.fitted import Fitted
from sohistio.output.run_report import RunReport
from sohistio.planning.mirroring import MirrorPlan, PlannedImage
from sohistio.run.copies import ImageResult, ImageState
from sohistio.run.mirror import MirrorResult

_STYLES = {Action.COPY: "cyan", Action.SKIP: "dim", Action.REFUSE: "bold red"}
_SAID_EVERY = 2.0
_DIGEST_SHOWN = len("sha256:") + 12


class MirrorReport:
    """Reports on stdout, or on stderr where stdout is left to a document. A `MirrorReporter`."""

    def __init__(self, *, stderr: bool) -> None:
        self._console = console(stderr=stderr)
        self._questions = RunReport(stderr=stderr)
        self._said: dict[str, float] = {}

    def plan(self, plan: MirrorPlan) -> None:
        """What would be done with each image, and how many bytes that is."""
        self._console.print(plan_view(plan))

    def progress(self, copy: Copy) -> None:
        """A line for an image, at most every two seconds."""
        name, now = str(copy.target), time.monotonic()
        if now - self._said.get(name, 0.0) >= _SAID_EVERY:
            self._said[name] = now
            self._line(f"{name}: {mebibytes(copy.bytes_there)} of {mebibytes(copy.content.bytes)}")

    def note(self, line: str) -> None:
        """A line."""
        self._line(line)

    def finished(self, result: ImageResult) -> None:
        """A line with how it ended; the reason of a failure is in the error at the end."""
        size = f" {mebibytes(result.planned.content.bytes)}" if result.planned.content else ""
        self._line(f"{result.state.value}: {result.planned.decision.target}{size} ({result.seconds:.1f} s)")

    def result(self, result: MirrorResult) -> None:
        """The last line, which can be quoted; an error on stderr."""
        plan, copied = result.plan, result.count(ImageState.COPIED)
        line = f"{copied} copied ({mebibytes(result.bytes_copied)}), {result.count(ImageState.SKIPPED)} were there"
        if not copied and result.error is None:
            pins = f", {plan.lock.name} was written" if plan.unpinned else ", nothing was written"
            line = f"all {len(result.images)} images are at {plan.hub}{pins}"
        self._console.print(f"{plan.environment}: {line}", style="green" if result.error is None else "")
        if result.error is not None:
            print_error(result.error)

    def can_ask(self) -> bool:
        """Whether there is a terminal to ask on."""
        return self._questions.can_ask()

    def ask(self, question: str) -> str:
        """Ask on the terminal's stderr."""
        return self._questions.ask(question)

    def _line(self, text: str) -> None:
        self._console.print(f"{datetime.now().astimezone():%H:%M:%S} {text}", soft_wrap=True)


def plan_view(plan: MirrorPlan) -> RenderableType:
    """The plan as a table of at most 100 columns; long reasons are below it."""
    counts = {action: len(plan.of(action)) for action in Action}
    head = f"{plan.environment}, Istio {plan.version}: {counts[Action.COPY]} to copy ({mebibytes(plan.bytes)}), "
    head += f"{counts[Action.SKIP]} there, {counts[Action.REFUSE]} refused"
    rows: list[tuple[str | Text, ...]] = []
    for planned in plan.images:
        decision = planned.decision
        name = str(decision.target).removeprefix(f"{plan.hub}/")
        size = mebibytes(planned.content.bytes) if planned.content else ""
        action = Text(decision.action.value, style=_STYLES[decision.action])
        rows.append((name, action, size, decision.digest[:_DIGEST_SHOWN] or "not known"))
    table = Fitted(("image", "", "size", "digest"), rows)
    parts: list[RenderableType] = [Text(head, style="bold")]
    parts += [Text(f"source  {plan.source}"), Text(f"target  {plan.hub}"), table]
    if plan.danger:
        parts.append(Text(f"This plan {plan.danger}.", style="bold red"))
    parts += [Text(line) for planned in plan.images for line in _reasons(planned)]
    return Group(*parts, *(Text(f"Note: {notice}", style="yellow") for notice in plan.notices))


def _reasons(planned: PlannedImage) -> list[str]:
    decision = planned.decision
    if decision.action is Action.REFUSE:
        return [f"refused: {decision.source}: {decision.reason}"]
    return [f"replaced: {decision.target} is {decision.replaces} now"] if decision.replaces else []


def mebibytes(size: int) -> str:
    """A size for people."""
    return f"{size / 2**20:.1f} MiB"


def plan_document(plan: MirrorPlan) -> dict[str, Any]:
    """The plan alone, with --plan."""
    images = [_image(planned) | {"state": "planned", "error": None, "seconds": None} for planned in plan.images]
    code = ExitCode.FAILED if plan.of(Action.REFUSE) else ExitCode.OK
    return _document(plan, images, ("planned", code), plan.pulls_left)


def result_document(result: MirrorResult) -> dict[str, Any]:
    """The plan and what came of it."""
    images = [
        _image(image.planned)
        | {
            "state": image.state.value,
            "error": image.error.document() if image.error else None,
            "seconds": round(image.seconds, 1),
        }
        for image in result.images
    ]
    words = {ExitCode.OK: "done" if result.plan.changes_pending else "upToDate", ExitCode.INTERRUPTED: "interrupted"}
    outcome = words.get(result.exit_code, "failed")
    return _document(result.plan, images, (outcome, result.exit_code), result.pulls_left) | {
        "bytesCopied": result.bytes_copied,
        "seconds": round(result.seconds, 1),
        "error": result.error.document() if result.error else None,
    }


def _document(
    plan: MirrorPlan, images: list[dict[str, Any]], end: tuple[str, ExitCode], pulls_left: int | None
) -> dict[str, Any]:
    outcome, code = end
    return {
        "environment": plan.environment,
        "version": plan.version,
        "source": plan.source,
        "hub": plan.hub,
        "outcome": outcome,
        "exitCode": int(code),
        "bytes": plan.bytes,
        "bytesCopied": 0,
        "seconds": None,
        "pullsLeft": pulls_left,
        "lock": str(plan.lock),
        "images": images,
        "elsewhere": [str(image) for image in plan.elsewhere],
        "notices": list(plan.notices),
        "error": None,
    }


def _image(planned: PlannedImage) -> dict[str, Any]:
    decision, content = planned.decision, planned.content
    return {
        "source": str(decision.source),
        "target": str(decision.target),
        "digest": decision.digest or None,
        "action": decision.action.value,
        "reason": decision.reason,
        "replaces": decision.replaces or None,
        "platforms": list(content.platforms) if content else None,
        "bytes": content.bytes if content else None,
    }
