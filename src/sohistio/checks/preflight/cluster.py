"""Checks of the cluster as a whole: is it the one that is meant, and does Azure let it be worked on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sohistio.checks.preflight.check import Fault, Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.checks.result import Severity
from sohistio.planning.cluster_identity import Problem


def of_azure(context: Context, *, name: str, fine: str) -> Iterator[Verdict]:
    """One of the rules about the AKS cluster; `fine` says what holds, of the cluster's {cluster}."""
    managed = context.managed_cluster
    if managed is None:
        yield NotAsked("Azure is not asked: a sandbox, no cluster.aks, or --skip-check")
        return
    yield from verdicts((p for p in context.azure_problems() if p.name == name), fine.format(cluster=managed.name))


def of_record(context: Context) -> Iterator[Verdict]:
    """The record in the cluster, where there is one, is of the same environment."""
    fine = f"it is {context.environment.name}'s, or nobody's yet"
    _ = context.api  # without a cluster there is no record to look at
    yield from verdicts(context.recorded_problems(), fine)


def verdicts(problems: Iterable[Problem], fine: str) -> Iterator[Verdict]:
    """A fault for each problem; a warning where it does not block."""
    found: list[Verdict] = [Fault(p.message, p.todo, None if p.blocks else Severity.WARNING) for p in problems]
    yield from found or [Good(fine)]
