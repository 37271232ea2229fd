"""Workloads that a restart would not help, and why: somebody else decides what sidecar their pods have. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sohistio.model.image import brief
from sohistio.model.restart_reason import words_of
from sohistio.model.sidecar import SidecarTemplate, is_same_image
from sohistio.model.staleness import has_old_image, settings_tried, was_tried
from sohistio.model.state import ClusterState, ObjectRef, ObservedPod, Workload
from sohistio.model.words import first_names
from sohistio.plan.steps import LeftAlone

NO_SIDECAR = "a new pod gets no sidecar, as a dry run shows, so a restart would leave none there"
"""What is said of a workload whose labels ask for a sidecar, and which no webhook gives one."""
LOOK_AT_WEBHOOKS = (
    "If the check webhooks-alive (`sohistio verify`) is passed, it is not Istio's webhooks: another one keeps the "
    "sidecar out (kubectl get mutatingwebhookconfigurations)."
)
NO_POD = "a restart would not bring all its pods up"
"""How the reason begins for a workload whose new pods are refused."""
UNOWNED = "no Deployment, StatefulSet or DaemonSet owns it"
STRIPPED = "new pods get no sidecar there, although a dry run gives them one"
"""How it begins where restarts have shown that."""
ONCE_PODS_START = "The pods that run keep serving. Once new ones can start, run `sohistio restart`."
_BARE = "pods have no sidecar, although they were to get"
_MOST_NAMED = 10
_CAUSES = (
    "either something rewrites new pods (another restart would not help), or somebody changed the running ones by hand"
)
_KEPT_OUT = "either something keeps it out (another restart would not help), or nothing injected when they started"


def of_grpc(workload: Workload, sidecar: SidecarTemplate) -> LeftAlone | None:
    """A workload of proxyless gRPC whose agent is not the mesh's: what new pods get is not the sidecar's image."""
    for pod in workload.pods:
        if pod.grpc_template and has_old_image(pod, sidecar):
            reason = f"injection template {pod.grpc_template}: gRPC without a proxy is its people's to restart"
            return LeftAlone(workload.ref, reason)
    return None


def of_unowned(ref: ObjectRef, pod: ObservedPod | None) -> LeftAlone:
    """A pod that no workload owns; a Job's next one gets the sidecar of then."""
    if pod and pod.job:
        return LeftAlone(
            ref, f"Job {pod.job} owns it, and nothing can restart that", "Its next pods get the new sidecar."
        )
    return LeftAlone(ref, UNOWNED)


def of_refused(ref: ObjectRef, state: ClusterState) -> LeftAlone | None:
    """A workload whose new pods would be refused; None where they would not."""
    refusal = state.refused.get(ref)
    return LeftAlone(ref, no_pod(refusal.words), ONCE_PODS_START) if refusal else None


def no_pod(why: str) -> str:
    """What is said of such a workload."""
    return f"{NO_POD}: {why}"


def of_stripped(ref: ObjectRef, shown_by: ObjectRef) -> LeftAlone:
    """A workload of a namespace whose new pods lose the sidecar that a dry run shows."""
    reason = f"{STRIPPED}: {shown_by} was restarted for one twice, and has none"
    todo = (
        "Look for a webhook that takes it out and lets dry runs pass (kubectl get mutatingwebhookconfigurations). Once "
        f"it is gone, delete one pod of {shown_by}: if its successor has a sidecar, `sohistio restart` goes on with "
        "all of that namespace."
    )
    return LeftAlone(ref, reason, todo)


def is_worth_saying(item: LeftAlone) -> bool:
    """Whether somebody may have to do something about it: who opted out, or sleeps, is as people want it."""
    return not item.reason.startswith(("opted out", "scaled to zero"))


def is_beyond_restarts(item: LeftAlone) -> bool:
    """Whether it is left alone because a restart would bring up no pod, or none with a sidecar."""
    return item.reason.startswith((NO_SIDECAR, NO_POD, STRIPPED)) or _BARE in item.reason


def alike(left: Iterable[LeftAlone]) -> list[list[LeftAlone]]:
    """Those that are left alone for one and the same reason, by their reasons, in order."""
    found: dict[str, list[LeftAlone]] = {}
    for item in left:
        found.setdefault(item.reason, []).append(item)
    return list(found.values())


def line_of(items: Sequence[LeftAlone]) -> str:
    """What is said of some with one reason: `Deployment shop/web, Deployment shop/api and 12 more: paused: …`."""
    return f"{first_names([item.ref for item in items], _MOST_NAMED)}: {items[0].reason}"


def decided_by_somebody(workload: Workload, sidecar: SidecarTemplate) -> LeftAlone | None:
    """Why a workload that no restart changes has another proxy image than the mesh's; None where it has that one.

    That its pods differ has two causes, which look alike: something rewrites new pods, or somebody changed the running
    ones (Kubernetes lets the image and the resources of a running pod be changed). Only a new pod tells them apart.
    """
    for pod in workload.pods:
        found = pod.compared if sidecar.live else None
        if found and settings_tried(pod, sidecar):
            reason = f"its pods do not have what they were restarted for ({words_of(found.changes)}): {_CAUSES}"
            return LeftAlone(workload.ref, reason, _try_a_new_pod(workload, pod, "what the mesh gives"))
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
            if pod.proxy_image:
                reason = f"its pods run {brief(pod.proxy_image)}, although they were to get {wanted}: {_CAUSES}"
            else:
                lost = sum(not pod.proxy_image for pod in workload.pods)
                which = "its" if lost == len(workload.pods) else f"{lost} of its {len(workload.pods)}"
                reason = f"{which} {_BARE} {wanted}: {_KEPT_OUT}"
            return LeftAlone(workload.ref, reason, _try_a_new_pod(workload, pod, wanted))
    return None


def _try_a_new_pod(workload: Workload, pod: ObservedPod, wanted: str) -> str:
    """How its people find out which of the two it is."""
    return (
        f"Delete one such pod when it suits (`kubectl -n {workload.ref.namespace} delete pod {pod.name}`). If its "
        f"successor has {wanted}, delete the others too; if not, look for what rewrites it (a policy engine?), and "
        "leave it if that is meant."
    )
