"""Workloads that a restart would not help, and why: somebody else decides what sidecar their pods have. Pure."""

from __future__ import annotations

from sohistio.model.image import brief
from sohistio.model.mode import Mode
from sohistio.model.restart_reason import words_of
from sohistio.model.sidecar import SidecarTemplate, is_same_image
from sohistio.model.staleness import has_old_image, settings_tried, was_tried
from sohistio.model.state import ClusterState, Workload
from sohistio.model.words import first_names
from sohistio.plan.plan import Plan
from sohistio.plan.steps import LeftAlone

NO_SIDECAR = "a new pod gets no sidecar, as a dry run shows, so a restart would leave none there"
"""What is said of a workload whose labels ask for a sidecar, and which no webhook gives one."""
_MOST_NAMED = 5


def of_grpc(workload: Workload, sidecar: SidecarTemplate) -> LeftAlone | None:
    """A workload of proxyless gRPC whose agent is not the mesh's: what new pods get is not the sidecar's image."""
    for pod in workload.pods:
        if pod.grpc_template and has_old_image(pod, sidecar):
            reason = f"injection template {pod.grpc_template}: gRPC without a proxy is its people's to restart"
            return LeftAlone(workload.ref, reason)
    return None


def not_compared(state: ClusterState, plan: Plan) -> tuple[str, ...]:
    """What a plan that is about sidecars says where only their images could be compared."""
    if plan.refusal or plan.mode is Mode.INSTALL:
        return ()
    notices = [f"sidecars compared by their image only, {reason}" for reason in state.not_compared]
    if state.passed_over and plan.mode in (Mode.NONE, Mode.RESTART):
        notices.append(f"{first_names(sorted(state.passed_over), _MOST_NAMED)}: {NO_SIDECAR}")
    return tuple(notices)


def decided_by_somebody(workload: Workload, sidecar: SidecarTemplate) -> LeftAlone | None:
    """Why a workload that no restart changes has another proxy image than the mesh's; None where it has that one."""
    for pod in workload.pods:
        found = pod.compared if sidecar.live else None
        if found and settings_tried(pod):
            reason = (
                f"its new pods do not get what the mesh gives ({words_of(found.changes)}): something else decides it"
            )
            return LeftAlone(
                workload.ref, reason, "Is that meant? If not, find what does it, then restart it yourself."
            )
        wanted = sidecar.image_for(pod.annotations)
        current = is_same_image(pod.proxy_image, wanted) or (found is not None and not found.changes)
        if pod.opted_out or current:
            continue
        wanted = brief(wanted)
        if workload.own_image:
            reason = f"its own template has the proxy image {brief(workload.own_image)}, the mesh's is {wanted}"
            todo = "Somebody has to keep it up to date; `image: auto` in the template gives the mesh's."
            return LeftAlone(workload.ref, reason, todo)
        if was_tried(workload, pod, sidecar):
            has = f"with {brief(pod.proxy_image)}" if pod.proxy_image else "without a sidecar"
            reason = f"its new pods come {has} although the mesh gives {wanted}: something else decides it"
            todo = "Is that meant (a policy that rewrites images)? If not, find what does it, then restart it yourself."
            return LeftAlone(workload.ref, reason, todo)
    return None
