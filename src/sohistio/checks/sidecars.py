"""Verification of the workloads' sidecars. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from sohistio.checks.result import CheckResult, failed, passed, warned
from sohistio.model.held_back import HeldBack, groups_of
from sohistio.model.restart_reason import reasons_of
from sohistio.model.staleness import is_bare
from sohistio.model.state import ClusterState, ObjectRef
from sohistio.model.words import first_lines
from sohistio.plan.left_alone import alike, is_beyond_restarts, is_worth_saying, line_of
from sohistio.plan.steps import LeftAlone
from sohistio.postinstall import beyond, restarts

_MOST_REASONS = 3


def sidecars_current(
    state: ClusterState, approved: Collection[ObjectRef] | None, held_back: Mapping[ObjectRef, HeldBack]
) -> Iterator[CheckResult]:
    """Whether every workload has the current sidecar, but for those held back; `approved` as of `Evidence`."""
    if state.sidecar is None:
        yield failed("sidecars-current", "the injector's configuration cannot be read", "Run `sohistio install`.")
        return
    stale, left = restarts(state, state.sidecar)
    waiting = [held_back[workload.ref] for workload in stale if workload.ref in held_back]
    due = [workload.ref for workload in stale if workload.ref not in held_back]
    old = [ref for ref in due if approved is None or ref in approved]
    if old:
        names = ", ".join(map(str, old))
        reasons = [item.because for item in reasons_of(stale, state.sidecar) if not item.of_image]
        why = f" ({'; '.join(first_lines(reasons, _MOST_REASONS))})" if reasons else ""
        yield failed("sidecars-current", f"old or no sidecar: {names}{why}", "Run `sohistio restart`.")
    if others := [ref for ref in due if ref not in old]:
        yield warned("sidecars-current", beyond(others), "Run `sohistio restart`.")
    bare = set(_without(state, left))
    lost = bare if approved is None else bare & set(approved)
    if not stale and not bare:
        count = sum(bool(workload.pods) for workload in state.workloads)
        yield passed("sidecars-current", f"{count} running workloads that the mesh injects looked at, none to restart")
    for group in groups_of(waiting):
        lack, first = f"{group.names}: old or no sidecar, and not restarted now", group.first
        waits = warned("sidecars-current", f"{lack}: {first.reason}", first.todo)
        yield replace(waits, brief=f"{lack}: {first.words}")
    for reason in state.not_compared:
        yield warned("sidecars-current", f"compared by their image only, {reason}", "docs/restarts.md says when.")
    for items in alike(item for item in left if item.ref in lost):
        yield failed("sidecars-current", f"without a sidecar: {line_of(items)}", items[0].todo)
    for items in alike(item for item in left if item.ref not in lost and is_worth_saying(item)):
        yield warned("sidecars-current", line_of(items), items[0].todo)


def _without(state: ClusterState, left: Iterable[LeftAlone]) -> Iterator[ObjectRef]:
    """Those that run without a sidecar and would start without one again, or not at all: no restart mends that."""
    bare = {workload.ref for workload in state.workloads if any(map(is_bare, workload.pods))}
    for item in left:
        if item.ref in bare and is_beyond_restarts(item):
            yield item.ref
