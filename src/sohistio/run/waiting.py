"""Waits for rollouts: bounded in time, ended by an interrupt, and telling why when something hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sohistio.cluster.kube import KubeApi
from sohistio.cluster.paths import path_of
from sohistio.cluster.trouble import why_not_ready
from sohistio.errors import FailedError, InterruptedRunError
from sohistio.progress import Observer
from sohistio.rollout import Progress, progress_of
from sohistio.state import ObjectRef

POLL_SECONDS = 0.5
# Reasons are asked for after this long without progress, and again each time this passes.
HANGING_SECONDS = 8.0

Target = tuple[ObjectRef, int]


@dataclass(frozen=True, slots=True)
class Stuck:
    """A rollout that did not finish in time, and why."""

    ref: ObjectRef
    progress: Progress
    reasons: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """For people: the rollout, then its reasons."""
        return (f"{self.ref}: {self.progress.message}", *(f"  {reason}" for reason in self.reasons))


@dataclass(slots=True)
class Waiting:
    """One run's waits: `deadline` (monotonic seconds) bounds all of them, `stop` ends them at once."""

    api: KubeApi
    observer: Observer
    stop: threading.Event
    deadline: float
    _told: dict[ObjectRef, Progress] = field(default_factory=dict)

    def pause(self, seconds: float = POLL_SECONDS) -> None:
        """Sleep; raises InterruptedRunError when the user stops the run, FailedError at the run's total timeout."""
        if self.stop.wait(seconds):
            raise InterruptedRunError("interrupted")
        if time.monotonic() > self.deadline:
            raise self.out_of_time([])

    def out_of_time(self, stuck: Sequence[Stuck]) -> FailedError:
        """The error of a run that reached its total timeout, with what it was waiting for."""
        return FailedError(
            "the run took longer than its total timeout",
            details=tuple(line for item in stuck for line in item.lines()),
            todo="What is done stays done; run it again, or give a longer --timeout.",
        )

    def look(self, targets: Sequence[Target]) -> dict[ObjectRef, Progress]:
        """The rollouts' progress now, read side by side, told to the observer when it changed."""

        def read(target: Target) -> Progress:
            ref, minimum = target
            item = self.api.get(path_of(ref))
            return progress_of(item, minimum) if item else Progress(0, minimum, False, "does not exist yet")

        with ThreadPoolExecutor(max_workers=8) as pool:
            found = dict(zip((ref for ref, _ in targets), pool.map(read, targets), strict=True))
        if found != self._told:
            self._told = found
            self.observer.rollouts(found)
        return found

    def rollouts(self, targets: Sequence[Target], seconds: float) -> list[Stuck]:
        """Wait at most `seconds` for all; returns the ones that did not finish, with their reasons.

        Raises FailedError where the run's total timeout comes before.
        """
        if not targets:
            return []
        end = time.monotonic() + seconds
        last = self.deadline - POLL_SECONDS  # a pause that passes the deadline would end without the reasons
        hanging = Hanging(self.api, self.observer)
        while True:
            found = self.look(targets)
            open_ones = {ref: progress for ref, progress in found.items() if not progress.done}
            if not open_ones:
                return []
            if time.monotonic() >= min(end, last):
                stuck = [Stuck(ref, progress, why_not_ready(self.api, ref)) for ref, progress in open_ones.items()]
                if last < end:
                    raise self.out_of_time(stuck)
                return stuck
            hanging.look(open_ones)
            self.pause()


class Hanging:
    """Notices rollouts without progress and tells why, once for each reason."""

    def __init__(self, api: KubeApi, observer: Observer) -> None:
        self._api = api
        self._observer = observer
        self._since: dict[ObjectRef, tuple[Progress, float]] = {}
        self._said: set[str] = set()

    def look(self, open_ones: dict[ObjectRef, Progress]) -> None:
        """Call it at each poll with the rollouts that are not done."""
        now = time.monotonic()
        for ref, progress in open_ones.items():
            before, since = self._since.get(ref, (progress, now))
            if before != progress:
                since = now
            elif now - since > HANGING_SECONDS:
                since = now
                for reason in why_not_ready(self._api, ref):
                    if reason not in self._said:
                        self._said.add(reason)
                        self._observer.note(reason)
            self._since[ref] = (progress, since)
