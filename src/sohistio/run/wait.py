"""Waits: bounded in time, ended by an interrupt, standing still while the lock is not confirmed or nobody answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sohistio.adapters.kubernetes.api import KubeApi, KubeError
from sohistio.adapters.kubernetes.hold import STOP_SECONDS, Hold, NotConfirmedError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.requests import Request
from sohistio.adapters.kubernetes.sender import READ_SECONDS
from sohistio.adapters.kubernetes.trouble import why_not_ready
from sohistio.errors import FailedError, InterruptedRunError
from sohistio.model.rollout import Progress, progress_of
from sohistio.model.state import ObjectRef
from sohistio.run.hanging import HANGING_SECONDS, Hanging, Stuck
from sohistio.run.outage import SILENT_SECONDS, Outage
from sohistio.run.progress import Observer
from sohistio.system.machine import clock
from sohistio.system.parallel import side_by_side
from sohistio.system.sanitize import one_line

POLL_SECONDS = 0.5
# One object is answered at once or, by a server in trouble, perhaps never; a page of a list takes its time.
_POLL_READ_SECONDS = 5.0
# Patience with a server in trouble where no wait sets a limit of its own.
_PATIENCE_SECONDS = 60.0
_MOST_NAMES = 5
_MOST_SAID = 4

Target = tuple[ObjectRef, int]


@dataclass(frozen=True, slots=True)
class Patience:
    """What a wait says when it is at its end: what does not hold, why not (asked for then), and what to do."""

    otherwise: str
    why: Callable[[KubeApi], tuple[str, ...]] = lambda _api: ()
    todo: str = "Look at it with kubectl and run the same command again, or give a longer --component-timeout."


@dataclass(frozen=True, slots=True)
class Limit:
    """The end of one wait, in the run's working time, `what` it waits for, and `why` it still does."""

    end: float
    what: str
    now: Callable[[], float]
    why: Callable[[], tuple[str, ...]] = tuple

    @property
    def passed(self) -> bool:
        return self.now() > self.end


class Waiting:
    """One run's waits, and its say in the requests of its steps (`Conduct`).

    `deadline` (monotonic seconds) bounds all of them. `api` is for the steps: a read that nobody answers is asked again
    until its wait's own limit, and a write is only sent while the lock is confirmed.
    """

    def __init__(self, api: KubeApi, observer: Observer, hold: Hold, deadline: float) -> None:
        self.api = api.under(self)
        self.observer = observer
        self.hold = hold
        self.deadline = deadline
        self.outage = Outage(observer)
        self._direct = api.within(_POLL_READ_SECONDS)
        self._limit: Limit | None = None
        self._say: dict[ObjectRef, Progress] = {}
        self._saying = threading.Lock()
        self._said_unconfirmed = False

    def now(self) -> float:
        """Working time, in seconds: it stands still while the run may not write."""
        return clock() - self.hold.stopped_seconds()

    @contextmanager
    def at_most(self, seconds: float, what: str = "", why: Callable[[], tuple[str, ...]] = tuple) -> Iterator[Limit]:
        """A wait's own limit; `what` is what it waits for, and `why` says more, for errors."""
        before, self._limit = self._limit, Limit(self.now() + seconds, what, self.now, why)
        try:
            yield self._limit
        finally:
            self._limit = before

    def pause(self, seconds: float = POLL_SECONDS) -> None:
        """Sleep; raises InterruptedRunError when the user stops the run, FailedError at the run's total timeout.

        Stands still while the lock is not confirmed.
        """
        self.rest(seconds)
        if not self.hold.is_confirmed:
            self._await_lock()

    def rest(self, seconds: float) -> None:
        """As `pause`, for what writes nothing: it goes on while the lock is not confirmed."""
        if self.hold.stop.wait(seconds):
            raise InterruptedRunError("interrupted")
        if time.monotonic() > self.deadline:
            raise self.out_of_time([])

    def seconds_left(self) -> float:
        """Until the run's total timeout, at least a moment."""
        return max(self.deadline - time.monotonic(), 0.1)

    def out_of_time(self, stuck: Sequence[Stuck], said: Sequence[str] = ()) -> FailedError:
        """The error of a run that reached its total timeout, with what it waited for, or else what a tool `said`.

        What is stuck says more than a tool that waits for it.
        """
        details = [line for item in stuck for line in item.lines()]
        if not details and self._limit is not None and self._limit.what:
            details += [f"it was waiting: {self._limit.what}", *(f"  {line}" for line in self._limit.why())]
            details += said[-_MOST_SAID:]
        if (silent := self.outage.seconds()) > SILENT_SECONDS:
            details.append(f"the API server had not answered for {silent:.0f} s")
        if not self.hold.is_confirmed:
            details.append(f"its lock could not be confirmed within {STOP_SECONDS:.0f} s, so that nothing was written")
        return FailedError(
            "the run took longer than its total timeout",
            details=tuple(details),
            todo="What is done stays done; a longer --timeout may be all that it needs.",
            again="Run it again.",
        )

    def brief(self, seconds: float) -> KubeApi:
        """The same cluster for a single look of so many seconds: without this run's patience, and its outages."""
        return self._direct.within(seconds)

    def reasons(self, ref: ObjectRef) -> tuple[str, ...]:
        """Why a rollout does not get on; asked once, whatever comes of it."""
        return why_not_ready(self._direct, ref)

    def look(self, targets: Sequence[Target]) -> dict[ObjectRef, Progress]:
        """The rollouts' progress now, read side by side, reported to the observer when it changed."""

        def read(target: Target) -> Progress:
            ref, minimum = target
            item = self.api.get(path_of(ref))
            return progress_of(item, minimum) if item else Progress(0, minimum, False, "does not exist yet")

        found = dict(zip((ref for ref, _ in targets), side_by_side(read, targets), strict=True))
        if found != self._say:
            self._say = found
            self.observer.rollouts(found)
        return found

    def rollouts(self, targets: Sequence[Target], seconds: float) -> list[Stuck]:
        """Wait at most `seconds` for all; returns the ones that did not finish, with their reasons.

        Raises FailedError where the run's total timeout comes before.
        """
        if not targets:
            return []
        hanging = Hanging(self.reasons, self.observer)
        names = ", ".join(ref.name for ref, _ in targets[:_MOST_NAMES])
        with self.at_most(seconds, f"{names} not ready yet") as limit:
            while True:
                found = self.look(targets)
                open_ones = {ref: progress for ref, progress in found.items() if not progress.done}
                if not open_ones:
                    return []
                # A pause that passes the deadline would end without the reasons.
                out_of_time = time.monotonic() >= self.deadline - POLL_SECONDS
                if out_of_time or limit.passed:
                    stuck = [Stuck(ref, progress, self.reasons(ref)) for ref, progress in open_ones.items()]
                    if out_of_time:
                        raise self.out_of_time(stuck)
                    return stuck
                hanging.look(open_ones)
                self.pause()

    def until(self, seconds: float, holds: Callable[[], bool], patience: Patience) -> None:
        """Wait until something holds; raises FailedError in `patience`'s words after `seconds`, or at the total.

        Where it takes longer than a moment, says why, each reason once.
        """
        said: set[str] = set()
        look = self.now() + HANGING_SECONDS
        with self.at_most(seconds, patience.otherwise, lambda: patience.why(self._direct)) as limit:
            while not holds():
                if limit.passed:
                    what = f"{patience.otherwise} after {seconds:.0f} s"
                    raise FailedError(what, details=limit.why(), todo=patience.todo)
                if self.now() > look:
                    look = self.now() + HANGING_SECONDS
                    for reason in (f"{patience.otherwise}: waiting", *limit.why()):
                        if reason not in said:
                            said.add(reason)
                            self.observer.note(one_line(reason))
                self.pause()

    def seconds_for(self, request: Request) -> float:
        """As `Conduct` has it: stands still while the lock is not confirmed, and ends a write while it certainly is."""
        while request.writes:
            if not self.hold.is_confirmed:
                self._await_lock()
            with suppress(NotConfirmedError):  # just now
                return self.hold.write_seconds()
        self.pause(0)
        if request.method != "GET":
            return READ_SECONDS * 2
        self.outage.asked()
        return READ_SECONDS if {"limit", "watch"} & request.query.keys() else _POLL_READ_SECONDS

    def answered(self) -> None:
        """As `Conduct` has it."""
        self.outage.answered()

    def read_failed(self, error: KubeError) -> None:
        """As `Conduct` has it: asked again until the limit of the wait under way. Raises the error after it."""
        self.outage.noticed()
        limit = self._limit
        over = limit.passed if limit else self.outage.seconds() > _PATIENCE_SECONDS
        if over:
            raise error
        self.pause()

    def _await_lock(self) -> None:
        """Return once the lock is confirmed; losing it sets `stop`."""
        with self._saying:
            if not self._said_unconfirmed:
                self._said_unconfirmed = True
                self.observer.note(
                    f"the lock could not be renewed for {STOP_SECONDS:.0f} s: "
                    "nothing is written until it is, and an istioctl that is at work is ended"
                )
        while not self.hold.is_confirmed:
            if self.hold.stop.wait(0.1):
                raise InterruptedRunError("interrupted")
            if time.monotonic() > self.deadline:
                raise self.out_of_time([])
        with self._saying:
            if self._said_unconfirmed:
                self._said_unconfirmed = False
                self.observer.note("the lock is still this run's: going on")
