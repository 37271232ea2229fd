"""Whether a running pod has the sidecar that a new one like it would get. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sohistio.model.sidecar import RESTARTED_FOR, SidecarTemplate, is_same_image
from sohistio.model.state import ObservedPod, Workload


def expected_image(workload: Workload, pod: ObservedPod, sidecar: SidecarTemplate) -> str:
    """The proxy image that a new pod like this one gets."""
    return workload.own_image or sidecar.image_for(pod.annotations)


def is_current(workload: Workload, pod: ObservedPod, sidecar: SidecarTemplate) -> bool:
    """Whether the pod has the sidecar that a new one gets; a template's own proxy is none before it is injected."""
    if workload.own_image and not pod.injected:
        return False
    return is_same_image(pod.proxy_image, expected_image(workload, pod, sidecar))


def was_tried(workload: Workload, pod: ObservedPod, sidecar: SidecarTemplate) -> bool:
    """Whether the pod comes of a restart for the very image that it should have, so that another would not help.

    Where somebody takes the annotation away (GitOps), the time tells: it was injected by what injects now. So it does
    where the pod has the right tag and only lacks its digest: digests may have been switched off in between.
    """
    expected = expected_image(workload, pod, sidecar)
    if pod.annotations.get(RESTARTED_FOR) == expected and not is_same_image(expected, pod.proxy_image):
        return True
    return pod.injected and "" < sidecar.since < pod.created


def differing(workload: Workload, sidecar: SidecarTemplate, pods: Iterable[ObservedPod]) -> list[ObservedPod]:
    """Those of the workload's pods that another restart would give the current sidecar."""
    return [
        pod
        for pod in pods
        if not (pod.opted_out or is_current(workload, pod, sidecar) or was_tried(workload, pod, sidecar))
    ]
