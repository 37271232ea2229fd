"""Copies images side by side: each by a tool, tried again where that can help, and checked once it is there."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from sohistio.adapters.registry.copy_tools import CopyTool, ToolLogins, tool_logins
from sohistio.adapters.registry.copying import Copy, Progress, check_copy, copy_once
from sohistio.adapters.registry.errors import RegistryError
from sohistio.adapters.registry.logins import auth_file
from sohistio.errors import FailedError, InterruptedRunError, SohistioError
from sohistio.planning.mirroring import PlannedImage, Sides
from sohistio.system.interruption import stop_event
from sohistio.system.masked import bug_text

_ATTEMPTS = 3
_FIRST_WAIT = 1.0
_POLL = 0.2


class ImageState(StrEnum):
    """How it went for an image."""

    COPIED = "copied"
    SKIPPED = "skipped"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_STARTED = "notStarted"


@dataclass(frozen=True, slots=True)
class ImageResult:
    """An image's end; `seconds` is what its copy took."""

    planned: PlannedImage
    state: ImageState
    error: SohistioError | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Means:
    """What a run works with. `tool` is None where nothing is copied; `login_folder` is for tools that cannot take
    logins from their standard input."""

    sides: Sides
    tool: CopyTool | None
    jobs: int
    log: Path
    login_folder: Path


@dataclass
class Copies:
    """The copies of one run, in threads that outlive their tools (see system/lifeline.py)."""

    means: Means
    tool: CopyTool
    logins: ToolLogins
    stop: threading.Event
    said: queue.Queue[ImageResult | Copy | str] = field(default_factory=queue.Queue)

    def events(self, copies: tuple[PlannedImage, ...]) -> Iterator[ImageResult | Copy | str]:
        """What happens, until every copy has ended."""
        open_copies = len(copies)
        with (
            Progress(self.means.sides.target, self.said.put) as progress,
            ThreadPoolExecutor(self.means.jobs) as pool,
        ):
            try:
                for planned in copies:
                    pool.submit(self._copied, planned, progress)
                while open_copies:
                    try:
                        event = self.said.get(timeout=_POLL)
                    except queue.Empty:
                        if self.stop.is_set():
                            self.means.sides.give_up()
                        continue
                    open_copies -= isinstance(event, ImageResult)
                    yield event
            finally:
                self.stop.set()
                self.means.sides.give_up()

    def _copied(self, planned: PlannedImage, progress: Progress) -> None:
        """One image, to its end; always says how it ended."""
        started = time.monotonic()
        state, error = ImageState.NOT_STARTED, None
        if not self.stop.is_set():
            state, error = self._tried(planned, progress)
        self.said.put(ImageResult(planned, state, error, time.monotonic() - started))

    def _tried(self, planned: PlannedImage, progress: Progress) -> tuple[ImageState, SohistioError | None]:
        try:
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._attempt(planned, progress)
                    return ImageState.COPIED, None
                except (FailedError, RegistryError) as error:
                    if attempt == _ATTEMPTS or self.stop.is_set():
                        raise
                    # The registries are asked by us: a tool's text is for people, and Retry-After is kept there.
                    self._why(planned)
                    self.said.put(f"{planned.decision.target}: {_in_short(error)}; trying again")
                    self.stop.wait(_FIRST_WAIT * attempt)
        except InterruptedRunError:
            return ImageState.INTERRUPTED, None
        except SohistioError as error:
            return (ImageState.INTERRUPTED, None) if self.stop.is_set() else (ImageState.FAILED, error)
        except Exception as bug:  # noqa: BLE001 — a thread's bug is this image's failure, the others go on
            return ImageState.FAILED, FailedError(f"sohistio has a bug: {bug_text(bug)}", todo="Report it, please.")
        raise AssertionError("the last attempt raises or returns")  # pragma: no cover

    def _attempt(self, planned: PlannedImage, progress: Progress) -> None:
        decision, content = planned.decision, planned.content
        if content is None:
            raise AssertionError("what is copied has been read")  # pragma: no cover
        source = self.means.sides.source.of(decision.source)
        at_source = replace(decision.pinned_source, registry=source.host)
        copy = Copy(at_source, decision.target, content)
        progress.begin(copy)
        try:
            copy_once(copy, self.tool, self.logins, self.means.log, self.stop)
        finally:
            progress.end(copy)
        check_copy(self.means.sides.target, decision.target, content)

    def _why(self, planned: PlannedImage) -> None:
        """Raises RegistryError where trying again cannot help."""
        decision = planned.decision
        source = self.means.sides.source.of(decision.source)
        if source.digest(decision.pinned_source) is None:
            raise RegistryError(f"{decision.pinned_source} has gone from its source", todo="Run it again.")
        self.means.sides.target.check_push(decision.target)


@contextmanager
def copies_by(means: Means) -> Iterator[Copies]:
    """Within the block Ctrl-C, SIGTERM and SIGHUP stop the copies; its end ends every tool."""
    sides = means.sides
    logins = auth_file((side.host, side.login) for side in (*sides.source.all, sides.target))
    if means.tool is None:
        raise AssertionError("copies need a tool")  # pragma: no cover
    with stop_event() as stop, tool_logins(means.tool, logins, means.login_folder) as given:
        yield Copies(means, means.tool, given, stop)


def _in_short(error: SohistioError) -> str:
    return f"{error.what}{f' ({error.details[-1]})' if error.details else ''}"
