"""A workload's restart on its way: how it began, how far it is, and what came of a list of them."""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.adapters.kubernetes.rollouts import Rollouts
from sohistio.model.restart_window import Candidate, Wait
from sohistio.model.rollout import Progress
from sohistio.run.hanging import Stuck


@dataclass(frozen=True, slots=True)
class Begun:
    """A workload's restart: the generation of its spec from which on its rollout is the restart's, or why not.

    `left` where it was not even tried, because its new pods would be refused.
    """

    generation: int = 0
    refused: str = ""
    left: str = ""


@dataclass(frozen=True, slots=True)
class Flight:
    """A workload that is being restarted; `until` is the end of its patience, in the run's working time."""

    candidate: Candidate
    generation: int
    until: float


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a list: how many were restarted, what did not come up, and what was not started."""

    done: int
    failed: tuple[Stuck, ...]
    rest: tuple[Wait, ...]


def progress(now: Rollouts, flight: Flight) -> Progress | None:
    """How far a flight is; None where its workload is gone."""
    rollout = now.rollout(flight.candidate.ref)
    if rollout is None:
        return None
    if rollout.generation < flight.generation:
        return Progress(0, rollout.pods, False, "waiting for its controller to see the change")
    return rollout.progress
