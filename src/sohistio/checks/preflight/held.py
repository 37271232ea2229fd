"""Gateways whose rollout would not go on: held by a run of sohistio's, or paused by somebody."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.checks.held_gateways import HELD_TODO, how_it_is_held
from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.fault import Fault, Severity


def gateways_held(context: Context) -> Iterator[Verdict]:
    """Before an install: what it goes on with, and what it would wait for in vain."""
    gateways = [seen for seen in context.state.mesh_deployments if seen.component == "gateway"]
    for seen in gateways:
        if seen.held:
            yield Fault(how_it_is_held(seen), HELD_TODO, Severity.WARNING)
        elif seen.paused:
            resume = f"kubectl -n {seen.ref.namespace} rollout resume deployment {seen.ref.name}"
            yield Fault(f"somebody has paused {seen.ref.short}: an install would wait for its rollout in vain", resume)
    if not gateways:
        yield NotAsked("there is no gateway")
    elif not any(seen.held or seen.paused for seen in gateways):
        yield Good("no rollout of a gateway is held or paused")
