"""Which PodDisruptionBudgets are one too many: under two, eviction fails (kubernetes/kubernetes#75957)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sohistio.model.desired import DesiredMesh
from sohistio.model.state import Budget, ClusterState, MeshDeployment, ObjectRef
from sohistio.postinstall import budgets_over


@dataclass(frozen=True, slots=True)
class Surplus:
    """`now` can go at once: another one stays over the same pods. `once_installed` can go when the manifest's own is
    there. `notices` name the ones that must be left, as they are over other pods too.
    """

    now: tuple[Budget, ...] = ()
    once_installed: tuple[Budget, ...] = ()
    notices: tuple[str, ...] = ()


def surplus_budgets(state: ClusterState, desired: DesiredMesh) -> Surplus:
    """Reduce to one over each of the mesh's Deployments: the manifest's own by its name, else the first there is."""
    wanted = {item.ref: item for item in desired.deployments}
    meshes = [seen for seen in state.mesh_deployments if seen.ref in wanted]
    own = {_own(seen.ref) for seen in meshes if wanted[seen.ref].budget}
    over = {seen.ref: sorted(budgets_over(state.budgets, seen), key=lambda budget: budget.ref) for seen in meshes}
    keepers = {_keeper(budgets, _own(ref)) for ref, budgets in over.items() if budgets}
    replaced = {ref for ref, budgets in over.items() if wanted[ref].budget and _own(ref) not in _refs(budgets)}
    shared = {b.ref for budgets in over.values() for b in budgets if _covers_more(b, meshes)}

    hand_made = sorted({b.ref: b for budgets in over.values() for b in budgets if b.ref not in own}.items())
    now = tuple(b for ref, b in hand_made if ref not in keepers and ref not in shared)
    later = tuple(
        b
        for ref, b in hand_made
        if ref in keepers and ref not in shared and all(r in replaced for r, budgets in over.items() if b in budgets)
    )
    crowded = {ref for budgets in over.values() if len(budgets) > 1 for ref in _refs(budgets)}
    notices = tuple(
        f"{ref} is over pods of others too and stays: under two budgets eviction fails, narrow its selector"
        for ref, _ in hand_made
        if ref in shared and ref in crowded
    )
    return Surplus(now, later, notices)


def _own(deployment: ObjectRef) -> ObjectRef:
    """Istio's charts name the budget as the Deployment."""
    return ObjectRef("PodDisruptionBudget", deployment.namespace, deployment.name)


def _keeper(budgets: Sequence[Budget], own: ObjectRef) -> ObjectRef:
    refs = _refs(budgets)
    return own if own in refs else refs[0]


def _refs(budgets: Sequence[Budget]) -> list[ObjectRef]:
    return [budget.ref for budget in budgets]


def _covers_more(budget: Budget, meshes: Sequence[MeshDeployment]) -> bool:
    """Whether it is over pods of anything else. Its count of pods would not say: a rollout's surge is in it."""
    return bool(budget.over - {seen.ref for seen in meshes})
