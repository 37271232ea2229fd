"""Whether a running pod has the sidecar that a new one like it would get, and how it differs. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sohistio.model.image import brief
from sohistio.model.injected import NONE, SIDECAR, Change
from sohistio.model.sidecar import (
    RESTARTED_BARE,
    RESTARTED_FOR,
    RESTARTED_FOR_SETTINGS,
    RESTARTED_UNDER,
    SidecarTemplate,
    is_same_image,
)
from sohistio.model.state import ObservedPod, Workload

MARKS = (RESTARTED_FOR, RESTARTED_UNDER, RESTARTED_FOR_SETTINGS, RESTARTED_BARE)
"""The annotations of a restart on a pod template."""
_OF_RESTARTS = (*MARKS, "kubectl.kubernetes.io/restartedAt")


def has_old_image(pod: ObservedPod, sidecar: SidecarTemplate) -> bool:
    """Whether its proxy is another than the mesh's, for pods of no workload that is looked at."""
    return not is_same_image(pod.proxy_image, sidecar.image_for(pod.annotations))


def expected_image(workload: Workload, pod: ObservedPod, sidecar: SidecarTemplate) -> str:
    """The proxy image that a new pod like this one gets."""
    return workload.own_image or sidecar.image_for(pod.annotations)


def is_current(workload: Workload, pod: ObservedPod, sidecar: SidecarTemplate) -> bool:
    """Whether the pod's image is that of a new one; a template's own proxy is no sidecar before it is injected."""
    if workload.own_image and not pod.injected:
        return False
    return is_same_image(pod.proxy_image, expected_image(workload, pod, sidecar))


def was_tried(workload: Workload, pod: ObservedPod, sidecar: SidecarTemplate) -> bool:
    """Whether the pod comes of a restart for the very image that it should have, so that another would not help.

    A template keeps that note when the mesh goes on to another image, and so do the pods that start there meanwhile.
    Where somebody takes the annotation away (GitOps), the time tells: it was injected by what injects now. So it does
    where the pod has the right tag and only lacks its digest: digests may have been switched off in between.
    """
    expected = expected_image(workload, pod, sidecar)
    noted = pod.annotations.get(RESTARTED_FOR) == expected and pod.created >= sidecar.changed
    if noted and not is_same_image(expected, pod.proxy_image):
        return True
    return pod.injected and "" < sidecar.since < pod.created


def is_bare(pod: ObservedPod) -> bool:
    """Whether it has no sidecar that somebody injected."""
    return not (pod.injected and pod.proxy_image)


def settings_tried(pod: ObservedPod, sidecar: SidecarTemplate) -> bool:
    """Whether the pod comes of a restart for the very settings that a new one gets, and has others all the same."""
    found = pod.compared
    if found is None or not found.changes or pod.created < sidecar.configured:
        return False
    return pod.annotations.get(RESTARTED_FOR_SETTINGS) == found.digest


def lacking(workload: Workload, pod: ObservedPod, sidecar: SidecarTemplate) -> tuple[Change, ...]:
    """What another restart would change in the pod's sidecar; nothing where it is current, or a restart would not help.

    A dry run through the mesh's webhook decides where there was one, else the image. What a new configuration is
    foreseen to change comes on top, but for pods that were restarted under that very configuration.
    """
    if pod.grpc_template or stays_out(pod):
        return ()
    found: tuple[Change, ...] = ()
    if sidecar.live and pod.compared is not None:
        # An image has its own rule: digests may have been switched off and on again since that restart.
        tried = {True: was_tried(workload, pod, sidecar), False: settings_tried(pod, sidecar)}
        # A pod that started while the webhook ignored failures has the marks of its template, and no sidecar.
        found = tuple(item for item in pod.compared.changes if item.setting == SIDECAR or not tried[item.of_image])
    elif not (is_current(workload, pod, sidecar) or was_tried(workload, pod, sidecar)):
        expected = _name(expected_image(workload, pod, sidecar))
        without = Change(SIDECAR, NONE, expected.rpartition("/")[2])
        found = (Change("image", _name(pod.proxy_image), expected) if pod.proxy_image else without,)
    foreseen = sidecar.foreseen
    before = not sidecar.configured or pod.created < sidecar.configured
    if workload.own_image or (before and pod.annotations.get(RESTARTED_UNDER) == foreseen.digest):
        return found
    known = {change.setting for change in found}
    return (*found, *(item for item in foreseen.changes.get(workload.ref, ()) if item.setting not in known))


def stays_out(pod: ObservedPod) -> bool:
    """Whether it opted out. Where a dry run gives a new one a sidecar, a policy told that pod alone to."""
    gets_one = pod.compared is not None and any(item.setting == SIDECAR for item in pod.compared.changes)
    return pod.opted_out and not gets_one


def differing(workload: Workload, sidecar: SidecarTemplate, pods: Iterable[ObservedPod]) -> list[ObservedPod]:
    """Those of the workload's pods that another restart would give the current sidecar."""
    return [pod for pod in pods if lacking(workload, pod, sidecar)]


def template_key(workload: Workload) -> str:
    """The same for workloads of a namespace whose templates are injected alike; what restarts wrote decides nothing."""
    metadata = workload.template.get("metadata") or {}
    annotations = {k: v for k, v in (metadata.get("annotations") or {}).items() if k not in _OF_RESTARTS}
    parts = [workload.ref.namespace, metadata.get("labels"), annotations, workload.template.get("spec")]
    return json.dumps(parts, sort_keys=True)


def _name(image: str) -> str:
    """An image for people, without its registry: that is the same for all of them."""
    return brief(image) or NONE
