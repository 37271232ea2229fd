"""Rollouts that do not get on, and why."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.run.progress import Observer
from sohistio.system.sanitize import one_line

# Reasons are asked for after this long without progress, and again each time this passes.
HANGING_SECONDS = 8.0
# The event of a controller whose pods the API server refuses.
_REFUSED = "FailedCreate"


@dataclass(frozen=True, slots=True)
class Stuck:
    """A rollout that did not finish in time, and why."""

    ref: ObjectRef
    progress: Progress
    reasons: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """For people: the rollout, then its reasons."""
        return (one_line(f"{self.ref}: {self.progress.message}"), *(f"  {one_line(it)}" for it in self.reasons))


class Hanging:
    """Notices rollouts without progress and says why, once for each reason.

    Reasons take requests: those of one rollout are asked for at most every `every` seconds. `refused` are the
    namespaces where one of the reasons is that the API server refuses pods.
    """

    def __init__(self, reasons: Callable[[ObjectRef], tuple[str, ...]], observer: Observer, every: float = 0.0) -> None:
        self._reasons = reasons
        self._observer = observer
        self._every = every
        self._next = 0.0
        self._since: dict[ObjectRef, tuple[Progress, float]] = {}
        self._said: set[str] = set()
        self.refused: set[str] = set()

    def look(self, open_ones: dict[ObjectRef, Progress]) -> None:
        """Call it at each poll with the rollouts that are not done."""
        now = time.monotonic()
        for ref, progress in open_ones.items():
            before, since = self._since.get(ref, (progress, now))
            if before != progress:
                since = now
            elif now - since > HANGING_SECONDS and now >= self._next:
                since, self._next = now, now + self._every
                for reason in self._reasons(ref):
                    if _REFUSED in reason:
                        self.refused.add(ref.namespace)
                    if reason not in self._said:
                        self._said.add(reason)
                        self._observer.note(reason)
            self._since[ref] = (progress, since)
        for ref in self._since.keys() - open_ones.keys():
            del self._since[ref]
