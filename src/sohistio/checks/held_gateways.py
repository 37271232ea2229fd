"""Gateways that a run has held and not let go. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sohistio.checks.result import CheckResult, failed
from sohistio.model.held import GOES_ON
from sohistio.model.state import ClusterState, MeshDeployment

HELD_TODO = f"{GOES_ON}."


def held_gateways(state: ClusterState) -> Iterator[CheckResult]:
    """One failure for each."""
    for seen in state.mesh_deployments:
        if seen.held:
            yield failed("gateways-held", how_it_is_held(seen), HELD_TODO)


def how_it_is_held(seen: MeshDeployment) -> str:
    """What is said of one."""
    return f"{seen.ref.short} is held by a run that has ended before its turn: its old pods serve"
