"""Checks of the cluster as a whole: is it the one that is meant, and does Azure let it be worked on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.fault import Fault


def of_azure(context: Context, *, name: str, fine: str) -> Iterator[Verdict]:
    """One of the rules about the AKS cluster; `fine` says what holds, of the cluster's {cluster}."""
    managed = context.managed_cluster
    if managed is None and context.stops.environment is not None:
        yield NotAsked("Azure is not asked: the environment is not valid, so it does not say which cluster")
        return
    if managed is None:
        yield NotAsked("Azure is not asked: a sandbox, no cluster.aks, or --skip-check")
        return
    yield from verdicts(
        (fault for fault in context.azure_faults() if fault.rule == name), fine.format(cluster=managed.name)
    )


def of_record(context: Context) -> Iterator[Verdict]:
    """The record in the cluster, where there is one, is of the same environment."""
    fine = f"it is {context.environment.name}'s, or nobody's yet"
    _ = context.api  # without a cluster there is no record to look at
    yield from verdicts(context.recorded_faults(), fine)


def verdicts(faults: Iterable[Fault], fine: str) -> Iterator[Verdict]:
    """The faults, or what holds where there is none."""
    found: list[Verdict] = [*faults]
    yield from found or [Good(fine)]
