"""Which workloads of a restart may start now, and why the others wait: a window that slides over their list. Pure.

As soon as one is done the next one starts, in the order of the list as far as budgets allow. Two workloads under one
disruption budget are never restarted at the same time, and none starts unless each budget over it lets as many pods be
away now as its update takes down at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sohistio.model.pace import Pace
from sohistio.model.state import ObjectRef


class Why(Enum):
    """What a workload waits for."""

    FAILURES = "too many others did not come up"
    HELD = "it may not be restarted now"
    LEFT = "its new pods would be refused"
    STUCK = "another one under its budget did not come up"
    NEIGHBOUR = "another one under its budget is being restarted"
    BUDGET = "a budget over it has too little room"
    PARALLEL = "as many as allowed are being restarted"
    ISTIOD = "no istiod is ready"
    PACE = "istiod takes no more new proxies at a time"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A workload as it is now: its pods, how many of them its update takes down at a time, the budgets over them."""

    ref: ObjectRef
    pods: int
    takes_down: int
    budgets: frozenset[ObjectRef] = frozenset()


@dataclass(frozen=True, slots=True)
class Wait:
    """A workload that does not start now. `said` is the reason for people.

    `passed` where only its budget's room kept it from starting: its turn had come.
    """

    candidate: Candidate
    why: Why
    said: str
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """What is under way: workloads in flight, those that did not come up and still roll, and how many failed.

    `rooms` is how many pods each budget lets be away now; `parallel` and `max_failures` are the environment's.
    """

    in_flight: Sequence[Candidate]
    stuck: Sequence[Candidate]
    rooms: Mapping[ObjectRef, int]
    parallel: int
    failures: int
    max_failures: int


@dataclass(frozen=True, slots=True)
class Next:
    """What starts now, what waits (both in the order of the list), and the pace after that."""

    start: tuple[Candidate, ...]
    waits: tuple[Wait, ...]
    pace: Pace


@dataclass(frozen=True, slots=True)
class Around:
    """What a workload's namespace says by now: its annotations about restarts, and the labels that decide injection."""

    annotations: Mapping[str, str]
    injection: str | None
    revision: str | None


Held = Callable[[ObjectRef], str]
"""Why a workload may not start now; empty where it may."""


def nothing_held(*_asked: object) -> str:
    """Every workload may start at any time, whatever is said of it."""
    return ""


def next_starts(queue: Iterable[Candidate], window: Window, pace: Pace, now: float, held: Held = nothing_held) -> Next:
    """What of the `queue` starts now; `now` is in the run's working time, as the pace's."""
    flying = {budget: candidate.ref for candidate in window.in_flight for budget in candidate.budgets}
    stuck = {budget: candidate.ref for candidate in window.stuck for budget in candidate.budgets}
    free = window.parallel - len(window.in_flight)
    start: list[Candidate] = []
    waits: list[Wait] = []
    for candidate in queue:
        blocked = _blocked(candidate, window, flying, stuck)
        if blocked is None and free <= len(start):
            blocked = Wait(candidate, Why.PARALLEL, Why.PARALLEL.value)
        elif blocked is not None and blocked.why is Why.BUDGET:
            blocked = Wait(candidate, blocked.why, blocked.said, passed=free > len(start))
        if blocked is None and (reason := held(candidate.ref)):
            blocked = Wait(candidate, Why.HELD, reason)
        if blocked is None and (seconds := pace.seconds_until(now)):
            blocked = Wait(candidate, Why.PACE, f"{Why.PACE.value}: {seconds:.1f} s more")
        if blocked is not None:
            waits.append(blocked)
            continue
        start.append(candidate)
        flying |= dict.fromkeys(candidate.budgets, candidate.ref)
        pace = pace.after(candidate.pods, now)
    return Next(tuple(start), tuple(waits), pace)


def _blocked(
    candidate: Candidate,
    window: Window,
    flying: Mapping[ObjectRef, ObjectRef],
    stuck: Mapping[ObjectRef, ObjectRef],
) -> Wait | None:
    """Why the candidate must not start, whatever room the window has."""
    if window.failures >= window.max_failures:
        return Wait(candidate, Why.FAILURES, Why.FAILURES.value)
    for budget in sorted(candidate.budgets):
        if budget in stuck:
            return Wait(candidate, Why.STUCK, f"{stuck[budget]}, under the same {budget}, did not come up")
        if budget in flying:
            return Wait(candidate, Why.NEIGHBOUR, f"{flying[budget]}, under the same {budget}, is being restarted")
    for budget in sorted(candidate.budgets):
        allowed = window.rooms.get(budget, 0)
        if candidate.takes_down and allowed < candidate.takes_down:
            return Wait(
                candidate,
                Why.BUDGET,
                f"{budget} lets {allowed} pods be away (is one not ready?), "
                f"its update takes {candidate.takes_down} down at a time",
            )
    return None
