"""Whether a running pod has the sidecar that a new one like it would get, and where another is somebody's decision."""

from __future__ import annotations

from collections.abc import Iterable

from sohistio.model.sidecar import RESTARTED_FOR, SidecarTemplate, is_same_image
from sohistio.model.state import PodSeen, Workload
from sohistio.plan.steps import LeftAlone


def expected_image(workload: Workload, pod: PodSeen, sidecar: SidecarTemplate) -> str:
    """The proxy image that a new pod like this one gets."""
    return workload.own_image or sidecar.image_for(pod.annotations)


def is_current(workload: Workload, pod: PodSeen, sidecar: SidecarTemplate) -> bool:
    """Whether the pod has the sidecar that a new one gets; a template's own proxy is none before it is injected."""
    if workload.own_image and not pod.injected:
        return False
    return is_same_image(pod.proxy_image, expected_image(workload, pod, sidecar))


def was_tried(workload: Workload, pod: PodSeen, sidecar: SidecarTemplate) -> bool:
    """Whether the pod comes of a restart for the very image that it should have, so that another would not help.

    Where somebody takes our annotation away (GitOps), the time tells: it was injected by what injects now.
    """
    if pod.annotations.get(RESTARTED_FOR) == expected_image(workload, pod, sidecar):
        return True
    return pod.injected and "" < sidecar.since < pod.created


def differing(workload: Workload, sidecar: SidecarTemplate, pods: Iterable[PodSeen]) -> list[PodSeen]:
    """Those of the workload's pods that another restart would give the current sidecar."""
    return [
        pod
        for pod in pods
        if not (pod.opted_out or is_current(workload, pod, sidecar) or was_tried(workload, pod, sidecar))
    ]


def decided_by_somebody(workload: Workload, sidecar: SidecarTemplate) -> LeftAlone | None:
    """Why a workload that no restart changes has another proxy image than the mesh's; None where it has that one."""
    for pod in workload.pods:
        wanted = sidecar.image_for(pod.annotations)
        if pod.opted_out or is_same_image(pod.proxy_image, wanted):
            continue
        if workload.own_image:
            reason = f"its own template has the proxy image {workload.own_image}, the mesh's is {wanted}"
            todo = "Somebody has to keep it up to date; `image: auto` in the template gives the mesh's."
            return LeftAlone(workload.ref, reason, todo)
        if was_tried(workload, pod, sidecar):
            has = f"with {pod.proxy_image}" if pod.proxy_image else "without a sidecar"
            reason = f"its new pods come {has} although the mesh gives {wanted}: something else decides it"
            todo = "Is that meant (a policy that rewrites images)? If not, find what does it, then restart it yourself."
            return LeftAlone(workload.ref, reason, todo)
    return None
