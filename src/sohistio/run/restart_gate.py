"""Whether a workload may still be restarted when its turn comes: a window may have closed since the plan was made, and
somebody may have said something else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from sohistio.model.restart_policy import Restraint, held
from sohistio.model.restart_window import Around
from sohistio.model.state import ClusterState, ObjectRef

Gate = Callable[[ObjectRef, Mapping[str, str], Around | None], str]
"""Why a workload may not start now, by its annotations and its namespace as they are now; empty where it may."""
_NOT_INJECTED_ANY_MORE = "the labels of its namespace have changed since, and it may get no sidecar any more"


def one_first(within: Gate, firsts: Mapping[str, ObjectRef], is_proven: Callable[[str], bool]) -> Gate:
    """In the namespaces of `firsts` only that workload may start, until `is_proven` that new pods get their sidecar."""

    def at_its_turn(ref: ObjectRef, own: Mapping[str, str], around: Around | None) -> str:
        first = firsts.get(ref.namespace, ref)
        if first != ref and not is_proven(ref.namespace):
            return f"{first} goes first: a restart before this one left pods of {ref.namespace} without a sidecar"
        return within(ref, own, around)

    return at_its_turn


def _now() -> datetime:
    return datetime.now(UTC)


def gate(
    restraint: Restraint,
    state: ClusterState,
    on_their_way: Collection[ObjectRef] = (),
    now: Callable[[], datetime] = _now,
) -> Gate:
    """Asked at each turn; `state` is what there was when the restarts began.

    What is `on_their_way` is not held: its pods are being replaced already.
    """
    workloads = {workload.ref: workload for workload in state.workloads}
    before = {seen.name: (seen.injection, seen.revision) for seen in state.namespaces}

    def at_its_turn(ref: ObjectRef, own: Mapping[str, str], around: Around | None) -> str:
        workload = workloads.get(ref)
        if workload is None or ref in on_their_way:
            return ""
        labels = (around.injection, around.revision) if around else None
        if labels is not None and before.get(ref.namespace, labels) != labels:
            return _NOT_INJECTED_ANY_MORE
        if restraint.now is None:
            return ""
        found = held(
            restraint,
            replace(workload, annotations=own),
            around.annotations if around else {},
            now(),
            labelled=around is not None and around.injection == "enabled",
        )
        return found.words if found else ""

    return at_its_turn
