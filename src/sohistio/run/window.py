"""Restarts a list of workloads as a sliding window: as soon as one is done, the next one starts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace

from sohistio.adapters.kubernetes.rollouts import Rollouts
from sohistio.model.pace import Pace
from sohistio.model.restart_window import Candidate, Next, Wait, Why, Window, next_starts
from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef, Workload
from sohistio.run.flight import Begun, Ended, Flight
from sohistio.run.flight import progress as progress_of
from sohistio.run.hanging import Hanging, Stuck
from sohistio.run.keeping_up import KeepingUp
from sohistio.run.restart_gate import Gate
from sohistio.run.tools import RestartSettings
from sohistio.run.wait import POLL_SECONDS, Waiting
from sohistio.run.window_words import figures
from sohistio.run.without_istiod import WithoutIstiod
from sohistio.system.parallel import side_by_side

# How often what the watches saw is looked at, and shown; neither takes a request.
_LOOK_SECONDS = 0.1
_SHOW_SECONDS = 1.0
_METRICS_SECONDS = 5.0
# Why rollouts hang takes three requests each.
_REASONS_SECONDS = 20.0
_GONE = Progress(0, 0, False, "it is gone")
_FAILED_OR_HELD = frozenset({Why.FAILURES, Why.HELD, Why.STUCK})


class RollingWindow:
    """One list on its way. `begin` restarts a workload, and is told whether pods of its namespace were refused by then;
    `held` says why one may not start now; `look` is told of those that came up, and how many are left, and raises where
    nothing else may be restarted.
    """

    def __init__(
        self,
        waiting: Waiting,
        settings: RestartSettings,
        begin: Callable[[Workload, bool], Begun],
        held: Gate,
        look: Callable[[Sequence[ObjectRef], int], None],
    ) -> None:
        self._waiting = waiting
        self._settings = settings
        self._begin = begin
        self._held = held
        self._look = look
        self._queue: dict[ObjectRef, Workload] = {}
        self._flights: dict[ObjectRef, Flight] = {}
        self._failed: dict[ObjectRef, Stuck] = {}
        self._left: list[Wait] = []
        self._still_rolling: dict[ObjectRef, Candidate] = {}
        self._passed_since: dict[ObjectRef, float] = {}
        self._landed: dict[ObjectRef, Progress] = {}
        self._shown: dict[ObjectRef, Progress] = {}
        self._figures = "the lists of workloads and disruption budgets are read"
        self._shown_at, self._done = 0.0, 0
        self._alone = WithoutIstiod(self._say, waiting.now, settings.workload_seconds)
        self._said: set[str] = set()
        self._hanging = Hanging(waiting.reasons, waiting.observer, _REASONS_SECONDS)

    @property
    def done(self) -> int:
        """How many came up so far."""
        return self._done

    def restart(self, workloads: Sequence[Workload], istiods: Sequence[ObjectRef]) -> Ended:
        """Restart all of them, in their order as far as budgets allow, and no faster than the `istiods` take their
        sidecars; without istiods as fast as may be.

        Raises FailedError at the run's total timeout, and where the cluster cannot be watched any more.
        """
        self._queue = {workload.ref: workload for workload in workloads}
        total = len(workloads)
        waiting = self._waiting
        with (
            waiting.at_most(waiting.seconds_left(), "restarts of workloads", lambda: (self._figures,)),
            Rollouts(waiting.api, [*self._queue], istiods) as now,
            KeepingUp(waiting.brief(_METRICS_SECONDS)) if istiods else nullcontext() as keeping_up,
        ):
            while not now.ready:
                waiting.pause(_LOOK_SECONDS)
            pace = Pace(self._per_second(now, keeping_up))
            while True:
                now.check()
                self._land(now)
                due = time.monotonic() - self._shown_at >= _SHOW_SECONDS
                if due or len(self._flights) < self._settings.parallel:
                    found = self._next(now, pace)
                    ready = now.ready_istiods()
                    if not istiods or self._alone.may_begin(ready, len(self._flights), len(self._queue)):
                        if self._give_up(found.waits):
                            continue  # What failed counts before anything else starts.
                        pace = found.pace.at(self._per_second(now, keeping_up))
                        self._start(found.start)
                    elif found.start:
                        found = replace(found, start=(), waits=(*map(_without_istiod, found.start), *found.waits))
                    over = not self._flights and all(wait.why in _FAILED_OR_HELD for wait in found.waits)
                    if due or over:
                        self._show(now, found, total)
                    if over:
                        return Ended(self._done, tuple(self._failed.values()), (*self._left, *found.waits))
                waiting.pause(_LOOK_SECONDS)

    def _per_second(self, now: Rollouts, keeping_up: KeepingUp | None) -> float:
        """The declared pace for all istiods that are ready, or what of it they keep up with."""
        if keeping_up is None:
            return math.inf
        if keeping_up.why_unread:
            self._say(
                f"istiod's own metrics are not read, so restarts keep to the declared pace: {keeping_up.why_unread}"
            )
        declared = float(self._settings.proxies_per_second * max(1, now.ready_istiods()))
        return max(1.0, declared * keeping_up.share)

    def _next(self, now: Rollouts, pace: Pace) -> Next:
        for line in now.polled:
            self._say(f"no watch, so that lists are read every few seconds: {line}")
        window = Window(
            [self._candidate(now, flight.candidate) for flight in self._flights.values()],
            [self._candidate(now, candidate) for candidate in self._still_rolling.values()],
            now.rooms(),
            self._settings.parallel,
            len(self._failed),
            self._settings.max_failures,
        )
        planned = (Candidate(item.ref, item.desired, item.max_unavailable) for item in self._queue.values())
        queue = (self._candidate(now, candidate) for candidate in planned)
        return next_starts(queue, window, pace, self._waiting.now(), lambda ref: self._may_not(now, ref))

    def _candidate(self, now: Rollouts, candidate: Candidate) -> Candidate:
        """As it is now."""
        rollout = now.rollout(candidate.ref)
        workload = self._queue.get(candidate.ref)
        labels = [pod.labels for pod in workload.pods] if workload else []
        budgets = now.budgets_over(candidate.ref, labels) | (frozenset() if workload else candidate.budgets)
        if rollout is None:
            return Candidate(candidate.ref, candidate.pods, candidate.takes_down, budgets)
        return Candidate(candidate.ref, rollout.pods, rollout.takes_down, budgets)

    def _may_not(self, now: Rollouts, ref: ObjectRef) -> str:
        rollout = now.rollout(ref)
        if rollout is None:
            return "it is gone"
        if rollout.paused:
            return "paused: its rollout is somebody's decision"
        return self._held(ref, rollout.annotations, now.around(ref.namespace))

    def _start(self, candidates: Iterable[Candidate]) -> None:
        chosen = [(candidate, self._queue.pop(candidate.ref)) for candidate in candidates]
        refused = self._hanging.refused
        begun = side_by_side(lambda item: self._begin(item[1], item[0].ref.namespace in refused), chosen)
        until = self._waiting.now() + self._settings.workload_seconds
        for (candidate, workload), one in zip(chosen, begun, strict=True):
            self._passed_since.pop(candidate.ref, None)
            if one.left:
                self._left.append(Wait(candidate, Why.LEFT, one.left))
            elif one.refused:
                progress = Progress(0, workload.desired, False, one.refused)
                self._failed[candidate.ref] = Stuck(candidate.ref, progress, ())
            else:
                self._flights[candidate.ref] = Flight(candidate, one.generation, until)

    def _give_up(self, waits: Sequence[Wait]) -> bool:
        """What its budget has kept from its turn for as long as a restart may take has failed; was there any?"""
        now, before = self._waiting.now(), len(self._failed)
        for wait in waits:
            ref = wait.candidate.ref
            if wait.why is not Why.BUDGET or not (wait.passed or ref in self._passed_since):
                self._passed_since.pop(ref, None)
            elif now - self._passed_since.setdefault(ref, now) > self._settings.workload_seconds:
                workload = self._queue.pop(ref)
                progress = Progress(0, workload.desired, False, f"not restarted: {wait.said}")
                self._failed[ref] = Stuck(ref, progress, ())
        return len(self._failed) > before

    def _land(self, now: Rollouts) -> None:
        """Take those that are done out of the window, and those whose time is over."""
        open_ones: dict[ObjectRef, Progress] = {}
        up: list[ObjectRef] = []
        for ref, flight in list(self._flights.items()):
            progress = progress_of(now, flight)
            if progress is None:
                self._waiting.observer.note(f"{ref} is gone: it is not waited for any more")
            elif not progress.done:
                open_ones[ref] = progress
                continue
            else:
                self._done += 1
                self._landed[ref] = progress
                up.append(ref)
            del self._flights[ref]
        if up:
            self._look(up, len(self._queue))
        for ref in list(self._still_rolling):
            if (rollout := now.rollout(ref)) is None or rollout.progress.done:
                del self._still_rolling[ref]
        # A pause that passes the deadline would end without the reasons.
        if open_ones and time.monotonic() >= self._waiting.deadline - POLL_SECONDS:
            raise self._waiting.out_of_time([self._stuck(ref, progress) for ref, progress in open_ones.items()])
        for ref, progress in list(open_ones.items()):
            if self._waiting.now() > self._flights[ref].until:
                self._failed[ref] = self._stuck(ref, progress)
                self._still_rolling[ref] = self._flights.pop(ref).candidate
                del open_ones[ref]
        self._hanging.look(open_ones)

    def _stuck(self, ref: ObjectRef, progress: Progress) -> Stuck:
        return Stuck(ref, progress, self._waiting.reasons(ref))

    def _show(self, now: Rollouts, found: Next, total: int) -> None:
        """For people: the rollouts in flight and those that ended since, and the sums."""
        self._shown_at = time.monotonic()
        flying = {ref: progress_of(now, flight) or _GONE for ref, flight in self._flights.items()}
        if (shown := self._landed | flying) != self._shown:
            self._waiting.observer.rollouts(shown)
        self._shown, self._landed = flying, {}
        self._figures = figures(total, self._done, len(self._flights), len(self._failed), found.waits)
        self._waiting.observer.figures(self._figures)

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._waiting.observer.note(line)


def _without_istiod(candidate: Candidate) -> Wait:
    return Wait(candidate, Why.ISTIOD, Why.ISTIOD.value)
