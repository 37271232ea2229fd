"""Checks of disruption budgets: no two over one pod, and none that blocks every drain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sohistio.checks.preflight.check import Good, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.fault import Fault
from sohistio.model.selector import selector_matches
from sohistio.model.state import ISTIO_NAMESPACE, Budget

Object = Mapping[str, Any]
_ENDED = ("Succeeded", "Failed")


def overlapping_budgets(context: Context) -> Iterator[Verdict]:
    """No pod of the mesh, nor of an injected namespace, is under two budgets: eviction fails then."""
    places = _places(context)
    yield from overlapping(_of(context.state.budgets, places), context.pods())


def blocking_budgets(context: Context) -> Iterator[Verdict]:
    """No budget forbids every eviction while all of its pods are well."""
    yield from blocking(_of(context.state.budgets, _places(context)))


def _places(context: Context) -> set[str]:
    """Where the mesh's pods and those with its sidecars are; a gateway may have a namespace of its own."""
    injected = (item.name for item in context.state.namespaces if item.injected)
    meshes = context.plan.rendered.meshes.values() if context.plan is not None else ()
    return {ISTIO_NAMESPACE, *injected, *(item.ref.namespace for mesh in meshes for item in mesh.gateways)}


def _of(budgets: Sequence[Budget], places: set[str]) -> list[Budget]:
    return [budget for budget in budgets if budget.ref.namespace in places]


def overlapping(budgets: Sequence[Budget], pods: Sequence[Object]) -> Iterator[Verdict]:
    """One fault for each set of budgets that share a pod."""
    shared: dict[tuple[str, ...], str] = {}
    for pod in pods:
        metadata = pod["metadata"]
        over = [
            budget.ref.name
            for budget in budgets
            if budget.ref.namespace == metadata["namespace"]
            and pod.get("status", {}).get("phase") not in _ENDED
            and selector_matches(budget.selector, metadata.get("labels") or {})
        ]
        if len(over) > 1:
            shared.setdefault((metadata["namespace"], *sorted(over)), metadata["name"])
    for (place, *names), pod_name in sorted(shared.items()):
        yield Fault(f"{place}: {' and '.join(names)} are over the same pods ({pod_name}, say)")
    if not shared:
        yield Good(f"{len(budgets)} budgets, no two over one pod")


def blocking(budgets: Sequence[Budget]) -> Iterator[Verdict]:
    """One fault for each."""
    found = [budget for budget in budgets if budget.expected_pods > 0 and budget.headroom <= 0]
    for budget in found:
        wanted = (
            f"maxUnavailable {budget.max_unavailable}"
            if budget.max_unavailable
            else f"minAvailable {budget.min_available}"
        )
        yield Fault(f"{budget.ref.namespace}/{budget.ref.name}: {wanted} of {budget.expected_pods} pods lets none go")
    if not found:
        yield Good(f"{len(budgets)} budgets, each lets a pod go")
