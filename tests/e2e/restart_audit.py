"""Judges restarts by the API server's audit log alone: when each workload was restarted, and which pods were away then.

It shares no code with what plans and carries out restarts. A pod counts as ready from when its kubelet says so (the
sandbox's says it once), and as away from when its deletion is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

KUBELET = "system:sandbox"
Name = tuple[str, str]
"""A workload or a budget: its namespace and its name."""


@dataclass(frozen=True)
class Guard:
    """A disruption budget: its workloads, and how many of their pods have to be ready at any time."""

    name: Name
    workloads: frozenset[Name]
    minimum: int


@dataclass(frozen=True)
class Restart:
    """One workload's: asked for, and over when the last of its pods had come or begun to go."""

    workload: Name
    asked: datetime
    over: datetime


@dataclass(frozen=True)
class Log:
    """What an audit log tells: restarts in order; by time and workload, pods that got ready (+1) and that went (-1);
    and the requests of the one who restarted.
    """

    restarts: tuple[Restart, ...]
    moves: tuple[tuple[datetime, Name, int], ...]
    requests: tuple[dict[str, Any], ...]


def read_log(path: Path, user: str, *, after: int = 0) -> Log:
    """The log, where restarts and requests are those after so many lines."""
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    own = [event for event in events[after:] if event["user"].get("username") == user]
    asked = {_workload_of(event): _when(event) for event in reversed(own) if _is_restart(event)}
    moves = sorted(_moves(events))
    restarts = [
        Restart(name, when, max([moved for moved, of, _ in moves if of == name and moved > when], default=when))
        for name, when in asked.items()
    ]
    return Log(tuple(sorted(restarts, key=lambda one: one.asked)), tuple(moves), tuple(own))


def lines_of(path: Path) -> int:
    """How long the log is by now."""
    return len(path.read_text(encoding="utf-8").splitlines())


def violations(
    log: Log, guards: Iterable[Guard], may_start: Callable[[Name, datetime], bool] = lambda _name, _when: True
) -> list[str]:
    """What must not have happened: a budget below its minimum, two of one budget at once, a start that was not allowed.

    `may_start` has the windows, freezes and opt-outs.
    """
    found = [
        f"{one.workload} must not be restarted at {one.asked}"
        for one in log.restarts
        if not may_start(one.workload, one.asked)
    ]
    for guard in guards:
        found += _below(log, guard)
        found += _at_once([one for one in log.restarts if one.workload in guard.workloads], guard)
    return found


def most_at_once(restarts: Sequence[Restart]) -> int:
    """How many were under way at the same time, at most."""
    return max(sum(one.asked <= other.asked < one.over for one in restarts) for other in restarts)


def _below(log: Log, guard: Guard) -> Iterable[str]:
    if not log.restarts:
        return
    ready, begun = 0, log.restarts[0].asked
    for when, name, change in log.moves:
        if name in guard.workloads:
            ready += change
            if when >= begun and ready < guard.minimum:
                yield f"{guard.name}: {ready} ready of at least {guard.minimum} at {when} ({name})"


def _at_once(restarts: Sequence[Restart], guard: Guard) -> Iterable[str]:
    for one, other in pairwise(restarts):
        if other.asked < one.over:
            yield f"{guard.name}: {other.workload} began at {other.asked}, {one.workload} was over at {one.over}"


def _moves(events: Iterable[Mapping[str, Any]]) -> Iterable[tuple[datetime, Name, int]]:
    ready: set[Name] = set()
    for event in events:
        ref = event.get("objectRef") or {}
        if ref.get("resource") != "pods" or not ref.get("name") or event["responseStatus"]["code"] >= 400:
            continue
        pod = (ref.get("namespace", ""), ref["name"])
        # Of a Deployment's pods: <workload>-<ReplicaSet's hash>-<own>.
        name = (pod[0], pod[1].rsplit("-", 2)[0])
        by_kubelet = event["user"].get("username") == KUBELET
        if event["verb"] == "patch" and ref.get("subresource") == "status" and by_kubelet and pod not in ready:
            ready.add(pod)
            yield _when(event), name, 1
        elif event["verb"] == "delete" and pod in ready:
            ready.discard(pod)
            yield _when(event), name, -1


def _is_restart(event: Mapping[str, Any]) -> bool:
    ref = event.get("objectRef") or {}
    is_of_team = ref.get("resource") == "deployments" and ref.get("namespace") != "istio-system"
    done = event["responseStatus"]["code"] < 400 and "dryRun" not in event["requestURI"]
    return event["verb"] == "patch" and is_of_team and done


def _workload_of(event: Mapping[str, Any]) -> Name:
    return event["objectRef"]["namespace"], event["objectRef"]["name"]


def _when(event: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(event["requestReceivedTimestamp"])
