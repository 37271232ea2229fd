"""The order in which a kubelet ends a pod, and how long it waits before it starts a container again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 300.0


@dataclass(slots=True)
class Ending:
    """A pod being deleted: since when (any clock, in seconds), how long preStop sleeps, the whole grace period."""

    begun: float
    pre_stop: float
    grace: float
    terminated: bool = False
    """Whether SIGTERM was sent."""


class Step(Enum):
    """What is to be done next."""

    WAIT = "wait"
    TERMINATE = "send SIGTERM"
    END = "kill what is left and delete the object"


def next_step(ending: Ending, now: float, running: bool) -> Step:
    """preStop, SIGTERM, and at the end of the grace period SIGKILL: preStop counts towards it."""
    passed = now - ending.begun
    if not running or passed >= ending.grace:
        return Step.END
    if not ending.terminated and passed >= ending.pre_stop:
        return Step.TERMINATE
    return Step.WAIT


def restart_pause(restarts: int) -> float:
    """Seconds before a crashed container starts again: at once the first time, then 10 s, 20 s, … 5 minutes."""
    return 0.0 if restarts == 0 else min(_FIRST_PAUSE * 2 ** (restarts - 1), _LONGEST_PAUSE)
