"""What restarts note on pod templates, and what pods show that do not have what they were restarted for. Pure.

A pod without a sidecar is restarted twice: it may have started while nothing injected. What has none even then loses it
to somebody whom dry runs do not show, and the others of its namespace would lose theirs. A younger pod there that has
one shows that it is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sohistio.model.sidecar import (
    RESTARTED_BARE,
    RESTARTED_FOR,
    RESTARTED_FOR_SETTINGS,
    RESTARTED_UNDER,
    SidecarTemplate,
)
from sohistio.model.staleness import MARKS, differing, expected_image, is_bare
from sohistio.model.state import ClusterState, ObjectRef, ObservedPod, Workload


def restart_marks(workload: Workload, state: ClusterState) -> Mapping[str, str | None]:
    """What a restart notes on the workload's pod template: for which image, settings and configuration it was."""
    sidecar = state.sidecar
    under = {RESTARTED_UNDER: state.injector.digest if state.injector else None}
    pod = next(iter(differing(workload, sidecar, workload.pods)), None) if sidecar else None
    if sidecar is None or pod is None:
        return dict.fromkeys(MARKS) | under
    image = expected_image(workload, pod, sidecar)
    again = _lost_it(workload, pod, sidecar)
    return {
        RESTARTED_FOR: image,
        RESTARTED_FOR_SETTINGS: pod.compared.digest if pod.compared else None,
        RESTARTED_BARE: image if again else None,
    } | under


def stripped_places(workloads: Sequence[Workload], sidecar: SidecarTemplate) -> Mapping[str, ObjectRef]:
    """The namespaces whose new pods lose their sidecars, each with the workload that shows it: none of its pods has one
    after two restarts, and no younger pod there has one.
    """
    youngest: dict[str, str] = {}
    for workload in workloads:
        injected = (pod.created for pod in (*workload.pods, *workload.arriving) if not is_bare(pod))
        place = workload.ref.namespace
        youngest[place] = max((youngest.get(place, ""), *injected))
    return {
        workload.ref.namespace: workload.ref
        for workload in reversed(workloads)
        if workload.pods
        and all(_lost_it_twice(workload, sidecar))
        and max(pod.created for pod in workload.pods) >= youngest[workload.ref.namespace]
    }


def tried_bare(workloads: Sequence[Workload], sidecar: SidecarTemplate) -> Mapping[str, ObjectRef]:
    """The namespaces where a restart has left pods without a sidecar, each with one workload for a second try: the
    first of those that have fewest to lose.
    """
    lost = [workload for workload in workloads if any(_lost_it(workload, pod, sidecar) for pod in workload.pods)]
    firsts: dict[str, ObjectRef] = {}
    for workload in sorted(lost, key=_to_lose):
        firsts.setdefault(workload.ref.namespace, workload.ref)
    return firsts


def _to_lose(workload: Workload) -> int:
    return sum(not is_bare(pod) for pod in workload.pods)


def _lost_it(workload: Workload, pod: ObservedPod, sidecar: SidecarTemplate) -> bool:
    return is_bare(pod) and pod.annotations.get(RESTARTED_FOR) == expected_image(workload, pod, sidecar)


def _lost_it_twice(workload: Workload, sidecar: SidecarTemplate) -> list[bool]:
    return [
        is_bare(pod) and pod.annotations.get(RESTARTED_BARE) == expected_image(workload, pod, sidecar)
        for pod in workload.pods
    ]
