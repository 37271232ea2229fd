"""Whether a workload may still be restarted when its turn comes: a window may have closed since the plan was made."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime

from sohistio.model.restart_policy import Restraint, held_in
from sohistio.model.restart_window import Held, nothing_held
from sohistio.model.state import ClusterState, ObjectRef


def _now() -> datetime:
    return datetime.now(UTC)


def gate(
    restraint: Restraint,
    state: ClusterState,
    on_their_way: Collection[ObjectRef] = (),
    now: Callable[[], datetime] = _now,
) -> Held:
    """Asked at each turn; `state` has the annotations as they were when the restarts began.

    What is `on_their_way` is not held: its pods are being replaced already.
    """
    if restraint.now is None:
        return nothing_held
    workloads = {workload.ref: workload for workload in state.workloads}

    def held(ref: ObjectRef) -> str:
        workload = workloads.get(ref)
        if workload is None or ref in on_their_way:
            return ""
        found = held_in(replace(restraint, now=now()), state, (workload,)).get(ref)
        return found.reason if found else ""

    return held
