"""What comes after the control plane: which workloads to restart, so that they carry the mesh's sidecar of today.

The rule (issue 1): Deployments, StatefulSets and DaemonSets in injected namespaces with a running pod whose sidecar is
not the one it would get today, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sohistio.plan import Phase
from sohistio.state import Budget, ClusterState, MeshDeployment, SidecarTemplate, Workload, selector_matches
from sohistio.steps import LeftAlone, RestartWorkloads


def is_stale(workload: Workload, sidecar: SidecarTemplate) -> bool:
    """Whether a running pod's proxy image differs from what the injector would give it now, or is missing."""
    return any(not pod.opted_out and pod.proxy_image != sidecar.image_for(pod.annotations) for pod in workload.pods)


def budgets_of(workload: Workload, budgets: Iterable[Budget]) -> list[Budget]:
    """The disruption budgets over the workload's pods."""
    return [
        budget
        for budget in budgets
        if budget.ref.namespace == workload.ref.namespace
        and any(selector_matches(budget.selector, pod.labels) for pod in workload.pods)
    ]


def budgets_over(budgets: Sequence[Budget], deployment: MeshDeployment) -> list[Budget]:
    """The disruption budgets over a mesh Deployment's pods."""
    return [
        budget
        for budget in budgets
        if budget.ref.namespace == deployment.ref.namespace and selector_matches(budget.selector, deployment.pod_labels)
    ]


def reason_to_leave(workload: Workload, budgets: Sequence[Budget]) -> str:
    """Why a stale workload must not be restarted by us; empty where it may be."""
    if workload.paused:
        return "paused: its rollout is somebody's decision"
    if workload.desired == 0:
        return "scaled to zero: its pods are on their way out"
    if workload.strategy == "OnDelete":
        return "updateStrategy OnDelete: a restart would change nothing until its pods are deleted"
    if workload.strategy == "Partitioned":
        return "its update is partitioned: a restart would reach some of its pods only"
    for budget in budgets_of(workload, budgets):
        if workload.max_unavailable > budget.headroom:
            return (
                f"its update takes {workload.max_unavailable} pods down at a time, "
                f"{budget.ref} allows {budget.headroom}"
            )
    return ""


def restarts(state: ClusterState, sidecar: SidecarTemplate | None) -> tuple[list[Workload], list[LeftAlone]]:
    """Workloads to restart, and the ones passed by with the reason, for the sidecar that the mesh gives (or will)."""
    to_restart: list[Workload] = []
    left: list[LeftAlone] = []
    for workload in state.workloads:
        if workload.pods and all(pod.opted_out for pod in workload.pods):
            left.append(LeftAlone(workload.ref, "opted out of injection"))
        elif workload.desired == 0 and not workload.pods:
            left.append(LeftAlone(workload.ref, "scaled to zero: new pods get today's sidecar"))
        elif sidecar is not None and is_stale(workload, sidecar):
            reason = reason_to_leave(workload, state.budgets)
            if reason:
                left.append(LeftAlone(workload.ref, reason))
            else:
                to_restart.append(workload)
    left.extend(LeftAlone(ref, "no Deployment, StatefulSet or DaemonSet owns it") for ref in state.unowned_pods)
    return to_restart, left


def partings(state: ClusterState) -> tuple[list[Workload], list[LeftAlone]]:
    """Workloads to restart so that their sidecars go, and the proxies left with the reason, once nothing injects."""
    to_restart: list[Workload] = []
    left: list[LeftAlone] = []
    for workload in state.carriers:
        own = (
            "its own template has the proxy (a gateway?): a restart would bring it back"
            if workload.brings_proxy
            else ""
        )
        if reason := own or reason_to_leave(workload, state.budgets):
            left.append(LeftAlone(workload.ref, reason))
        else:
            to_restart.append(workload)
    left.extend(LeftAlone(ref, "no Deployment, StatefulSet or DaemonSet owns it") for ref in state.unowned_carriers)
    return to_restart, left


def waves(workloads: Sequence[Workload], budgets: Sequence[Budget], size: int) -> list[list[Workload]]:
    """Split into waves of at most `size`; two workloads under one disruption budget never share a wave."""
    result: list[tuple[list[Workload], set[str]]] = []
    for workload in workloads:
        over = {str(budget.ref) for budget in budgets_of(workload, budgets)}
        for wave, taken in result:
            if len(wave) < size and not over & taken:
                wave.append(workload)
                taken.update(over)
                break
        else:
            result.append(([workload], set(over)))
    return [wave for wave, _ in result]


def restart_phase(state: ClusterState, sidecar: SidecarTemplate | None, station: str = "") -> tuple[Phase, ...]:
    """The restart as a phase; none where no workload is stale. `station` sets a hop's ids apart."""
    to_restart, left = restarts(state, sidecar)
    if not to_restart:
        return ()
    refs = tuple(workload.ref for workload in to_restart)
    plural = "workload" if len(refs) == 1 else "workloads"
    image = sidecar.image_for({}).rpartition("/")[2] if sidecar else ""
    summary = f"restart {len(refs)} {plural} without the sidecar {image}"
    return (Phase(f"{station}sidecars", (RestartWorkloads(f"{station}sidecars/restart", summary, refs, tuple(left)),)),)
