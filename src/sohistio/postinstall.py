"""What comes after the control plane: which workloads to restart, so that they carry the current sidecar.

The rule (issue 1): Deployments, StatefulSets and DaemonSets that the mesh injects, with a running pod whose sidecar is
not the one it would get now, and no others. One that was restarted for an image and still differs is left alone
(issue 9, item 10): its image is somebody's decision, and another restart would change nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from sohistio.model.image import brief
from sohistio.model.injected import NONE, SIDECAR, Change, Compared
from sohistio.model.restart_marks import stripped_places
from sohistio.model.restart_reason import reasons_of
from sohistio.model.selector import selector_matches
from sohistio.model.sidecar import SidecarTemplate
from sohistio.model.staleness import differing, has_old_image, stays_out
from sohistio.model.state import Budget, ClusterState, MeshDeployment, ObjectRef, ObservedPod, Workload
from sohistio.model.words import first_names
from sohistio.plan.left_alone import (
    LOOK_AT_WEBHOOKS,
    NO_SIDECAR,
    UNOWNED,
    decided_by_somebody,
    of_grpc,
    of_refused,
    of_stripped,
    of_unowned,
)
from sohistio.plan.plan import Phase
from sohistio.plan.steps import LeftAlone, RestartWorkloads

_MOST_NAMED = 10


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
    sidecar = _known(state, sidecar)
    stripped = stripped_places(state.workloads, sidecar) if sidecar else {}
    for workload in state.workloads:
        if workload.pods and all(map(stays_out, workload.pods)):
            left.append(LeftAlone(workload.ref, "opted out of injection"))
        elif workload.desired == 0 and not workload.pods:
            left.append(LeftAlone(workload.ref, "scaled to zero: new pods get the current sidecar"))
        elif sidecar is not None and (grpc := of_grpc(workload, sidecar)):
            left.append(grpc)
        elif workload.ref in state.passed_over:
            left.append(LeftAlone(workload.ref, NO_SIDECAR, LOOK_AT_WEBHOOKS))
        elif sidecar is not None and differing(workload, sidecar, workload.pods):
            if passed := _passed(workload, state, stripped):
                left.append(passed)
            else:
                to_restart.append(workload)
        elif sidecar is not None and (decided := decided_by_somebody(workload, sidecar)):
            left.append(of_refused(workload.ref, state) or decided)
    left.extend(of_unowned(ref, state.unowned_carriers.get(ref)) for ref in state.unowned_pods)
    if sidecar is not None:
        left.extend(_out_of_reach(state, sidecar))
    return to_restart, left


def _passed(workload: Workload, state: ClusterState, stripped: Mapping[str, ObjectRef]) -> LeftAlone | None:
    """Why a stale workload is left alone; None where it may be restarted."""
    ref = workload.ref
    if refused := of_refused(ref, state):
        return refused
    if shown_by := stripped.get(ref.namespace):
        return of_stripped(ref, shown_by)
    reason = reason_to_leave(workload, state.budgets)
    return LeftAlone(ref, reason) if reason else None


def once_injected(state: ClusterState) -> ClusterState:
    """The state for a plan that makes what injects again: what gets no sidecar, or is refused by Istio's own webhook,
    will start with one. The restart itself asks again.
    """
    bare = Compared((Change(SIDECAR, NONE, "injected"),), "")

    def as_it_is(workload: Workload) -> Workload:
        pods = (pod if pod.injected else replace(pod, compared=bare) for pod in workload.pods)
        return replace(workload, pods=tuple(pods)) if workload.ref in state.passed_over else workload

    refused = {ref: refusal for ref, refusal in state.refused.items() if not refusal.of_istio}
    workloads = tuple(map(as_it_is, state.workloads))
    return replace(state, workloads=workloads, passed_over=frozenset(), refused=refused)


def _known(state: ClusterState, sidecar: SidecarTemplate | None) -> SidecarTemplate | None:
    """Where it gives the image of today, the one of today: that knows since when it is in force, and is asked."""
    if sidecar is None or state.sidecar is None or sidecar != state.sidecar:
        return sidecar
    return replace(state.sidecar, foreseen=sidecar.foreseen)


def _out_of_reach(state: ClusterState, sidecar: SidecarTemplate) -> Iterable[LeftAlone]:
    """Old sidecars of this mesh in pods whose successors would get none: a restart would take them out of the mesh."""
    known = {workload.ref for workload in state.workloads}

    def is_old(pod: ObservedPod) -> bool:
        of_this_mesh = pod.revision == state.revision and not pod.opted_out
        return of_this_mesh and has_old_image(pod, sidecar)

    for workload in state.carriers:
        old = next((pod for pod in workload.pods if is_old(pod)), None)
        if old is not None and workload.ref not in known:
            why = (
                "its own template has it"
                if workload.brings_proxy
                else "no label asks for one any more, so a restart would take it out"
            )
            yield LeftAlone(
                workload.ref, f"has the sidecar {brief(old.proxy_image)}, and nothing injects a new one: {why}"
            )
    for ref, pod in state.unowned_carriers.items():
        if ref not in state.unowned_pods and is_old(pod):
            yield of_unowned(ref, pod)


def beyond(refs: Sequence[ObjectRef]) -> str:
    """What is said of workloads that need a restart by now, and which the approved plan did not have."""
    kinds = {ref.kind for ref in refs}
    noun = kinds.pop() if len(kinds) == 1 else "workload"
    what = f"1 more {noun} needs" if len(refs) == 1 else f"{len(refs)} more {noun}s need"
    return f"{what} a restart that this plan did not have: {first_names(refs, _MOST_NAMED)}"


def needless(
    approved: Iterable[ObjectRef],
    stale: Sequence[Workload],
    settled: Mapping[ObjectRef, str],
    left: Sequence[LeftAlone],
    absent: str,
) -> list[str]:
    """What is said of approved workloads that are not restarted after all, by why: a reason to leave one comes first,
    then what `settled` says of those that are there.
    """
    reasons = {**settled, **{item.ref: item.reason for item in left}}
    by_reason: dict[str, list[ObjectRef]] = {}
    for ref in approved:
        if not any(workload.ref == ref for workload in stale):
            by_reason.setdefault(reasons.get(ref, absent), []).append(ref)
    return [f"not restarted, {reason}: {first_names(refs, _MOST_NAMED)}" for reason, refs in by_reason.items()]


def foretold(state: ClusterState, step: RestartWorkloads) -> list[Workload]:
    """Those of a step that were planned for settings, where no dry run says yes or no: the plan's word stands."""
    refs = {ref for reason in step.reasons if not reason.of_image for ref in reason.workloads}
    refs &= state.uncompared - state.passed_over - state.refused.keys()
    return [w for w in state.workloads if w.ref in refs and not reason_to_leave(w, state.budgets)]


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
    left.extend(LeftAlone(ref, UNOWNED) for ref in state.unowned_carriers)
    return to_restart, left


def restart_phase(
    state: ClusterState,
    sidecar: SidecarTemplate | None,
    prefix: str = "",
    *,
    earlier: Collection[ObjectRef] = (),
    arriving: bool = False,
) -> tuple[Phase, ...]:
    """The restart as a phase; none where no workload is stale. `prefix` sets a hop's ids apart.

    Its list is all that a run may restart, so it has what will be stale by then: the workloads that an `earlier` hop
    restarts, and with `arriving` those whose pods are about to run with a sidecar that the plan makes an old one.
    """
    to_restart, left = restarts(state, sidecar)
    sidecar = _known(state, sidecar)
    if sidecar is not None:
        refs = {workload.ref for workload in to_restart} | set(earlier)
        if arriving:
            refs |= {w.ref for w in state.workloads if differing(w, sidecar, w.arriving)}
        refs -= {item.ref for item in left}
        to_restart = [workload for workload in state.workloads if workload.ref in refs]
    if not to_restart:
        return ()
    plural = "workload" if len(to_restart) == 1 else "workloads"
    image = brief(sidecar.image_for({})).rpartition("/")[2] if sidecar else ""
    reasons = reasons_of(to_restart, sidecar)
    lack = f"without the sidecar {image}"
    if not all(reason.of_image for reason in reasons):
        lack = "whose sidecar is not the mesh's"
    summary = f"restart {len(to_restart)} {plural} {lack}"
    listed = tuple(workload.ref for workload in to_restart)
    step = RestartWorkloads(f"{prefix}sidecars/restart", summary, listed, tuple(left), reasons=reasons)
    return (Phase(f"{prefix}sidecars", (step,)),)
