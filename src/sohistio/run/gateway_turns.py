"""Gateways whose pods are replaced one gateway after the other, each judged by its probes while old pods still serve.

istioctl applies all gateways at once and waits for all of them. A Deployment that is paused takes what is applied and
replaces no pod, so istioctl's wait goes on until the gateway has had its turn (issue 16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from sohistio.adapters.kubernetes.api import KubeError
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.kubernetes.replica_sets import take_newest_pods_back
from sohistio.errors import FailedError
from sohistio.model.held import (
    GOES_ON,
    HOLD,
    LET_GO,
    STOP,
    has_new_template,
    is_applied,
    is_held,
    is_paused_by_others,
    new_pods,
    old_pods,
)
from sohistio.model.rollout import Progress
from sohistio.model.state import ObjectRef
from sohistio.run.gateway_questions import Questions
from sohistio.run.hanging import Hanging, Stuck
from sohistio.run.room import Room
from sohistio.run.wait import POLL_SECONDS, Waiting

# Requests for each pod there is: with one new pod of four, all of them miss it once in 10,000 times.
_REQUESTS_A_POD = 8
_LAST_SECONDS = 5.0
_FIRST_POLL_SECONDS = 0.2
"""Until the first new pod is there: the rollout has to be stopped before the second one is."""


class GatewayTurns:
    """The gateways of one install. `seconds` bounds each turn; `questions` are asked while pods are replaced."""

    def __init__(
        self,
        waiting: Waiting,
        gateways: Sequence[ObjectRef],
        questions: Callable[[ObjectRef], Questions],
        seconds: float,
    ) -> None:
        self._waiting = waiting
        self._questions = questions
        self._seconds = seconds
        self._held = list(gateways)

    @property
    def held(self) -> tuple[ObjectRef, ...]:
        """Those whose turn has not come yet."""
        return tuple(self._held)

    def hold(self) -> None:
        """Pause each of them, before istioctl begins; one that is gone, or that somebody has paused, gets no turn."""
        for ref in self.held:
            item = self._waiting.api.get(path_of(ref))
            if item is None or is_paused_by_others(item):
                self._held.remove(ref)
            else:
                self._waiting.api.merge_patch(path_of(ref), HOLD)

    def take(self, found: Mapping[ObjectRef, Progress]) -> None:
        """Let the next one have its turn, once all that comes before it is ready and istioctl has applied it.

        Raises FailedError where it does not come up in time, or its probes fail.
        """
        if not self._held or not all(progress.done for ref, progress in found.items() if ref not in self._held):
            return
        item = self._waiting.api.get(path_of(self._held[0]))
        if item is None or is_applied(item):
            self._next()

    def end(self) -> None:
        """Once istioctl has ended well: the turns of those that are left. Raises FailedError as `take` does."""
        while self._held:
            self._next()

    def give_up(self) -> None:
        """Where the install has failed: let go of those that have nothing new. The others' old pods go on serving, and
        no more of one is replaced whose turn it was.
        """
        still = []
        api, waiting = self._waiting.brief(_LAST_SECONDS), self._waiting
        for ref in self._held:
            with suppress(KubeError):  # what is held is let go by the next run
                item = api.get(path_of(ref))
                if item is None or not (is_held(item) or old_pods(item)):
                    continue
                if waiting.hold.is_confirmed:
                    api.merge_patch(path_of(ref), STOP if old_pods(item) else LET_GO)
                if not old_pods(item):
                    continue
            still.append(ref.short)
        if still:
            waiting.observer.note(f"held, so that their old pods go on serving: {', '.join(still)}; {GOES_ON}")

    def _next(self) -> None:
        """The first one's turn; it counts as held until that has ended well."""
        self._turn(self._held[0])
        self._held.pop(0)

    def _turn(self, ref: ObjectRef) -> None:
        """Replace its pods; nothing is asked where none is to be replaced."""
        api, observer = self._waiting.api, self._waiting.observer
        item = api.get(path_of(ref))
        if item is None:
            return
        if not old_pods(item):
            api.merge_patch(path_of(ref), LET_GO)
            return
        questions = self._questions(ref)
        for line in questions.begin():
            observer.note(line)
        observer.note(f"{ref.short}: its pods are replaced now")
        api.merge_patch(path_of(ref), LET_GO)
        self._replace(ref, questions)

    def _replace(self, ref: ObjectRef, questions: Questions) -> None:
        waiting, judged = self._waiting, not questions
        hanging, room = Hanging(waiting.reasons, waiting.observer), Room(waiting, ref)
        with room, waiting.at_most(self._seconds, f"{ref.short} not ready yet") as limit:
            while True:
                progress = waiting.look([(ref, 0)])[ref]
                room.look()
                if judged:
                    questions.ask()
                else:
                    judged = self._judge(ref, questions, room)
                if questions.failures():
                    raise self._stopped(ref, questions)
                if progress.done and judged:
                    return
                if limit.passed:
                    raise self._late(Stuck(ref, progress, waiting.reasons(ref)))
                hanging.look({ref: progress})
                waiting.pause(POLL_SECONDS if judged else _FIRST_POLL_SECONDS)

    def _judge(self, ref: ObjectRef, questions: Questions, room: Room) -> bool:
        """Stop at the first new pod, and once that one serves ask until it must have answered. Whether it was done."""
        api = self._waiting.api
        item = api.get(path_of(ref))
        if item is None or not has_new_template(item):
            return False
        old, new = old_pods(item), new_pods(item)
        if not new:
            # With a pod that waits for room an old one has to go first, and nothing goes while it is held.
            wanted = LET_GO if room.is_made else STOP
            if old and is_held(item) != (wanted is STOP):
                api.merge_patch(path_of(ref), wanted)
            return False
        if old and not is_held(item):
            api.merge_patch(path_of(ref), STOP)
        questions.ask(_REQUESTS_A_POD * (old + new))
        if not questions.failures():
            self._waiting.observer.note(f"{ref.short}: with its first new pod {questions.said}")
            api.merge_patch(path_of(ref), LET_GO)
        return True

    def _stopped(self, ref: ObjectRef, questions: Questions) -> FailedError:
        api = self._waiting.api
        api.merge_patch(path_of(ref), STOP)
        done, details = "Its new pods are taken back, and the old ones serve", questions.failures()
        try:
            take_newest_pods_back(api, ref)
        except KubeError as error:
            done = (
                "No more of its pods are replaced, but the new ones serve still: `kubectl rollout undo` takes them back"
            )
            details = (*details, ": ".join((f"they could not be taken back: {error.what}", *error.details)))
        return FailedError(
            f"{ref.short} does not answer as it should since its first new pod serves",
            details=details,
            todo=f"{done}. Find what is wrong with the new ones: {GOES_ON}.",
        )

    def _late(self, stuck: Stuck) -> FailedError:
        self._waiting.api.merge_patch(path_of(stuck.ref), STOP)
        return FailedError(
            f"{stuck.ref.short} not ready within {self._seconds:.0f} s",
            details=stuck.lines(),
            todo=f"Its old pods go on serving, and no more are replaced. Fix what is named here: {GOES_ON}.",
        )
