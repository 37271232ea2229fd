"""Which pods' sidecars are in doubt: the mesh's webhook is asked about no others. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sohistio.model.sidecar import RESTARTED_UNDER
from sohistio.model.staleness import is_bare, is_current, template_key, was_tried
from sohistio.model.state import ClusterState, ObservedPod, Workload

_INJECT = "sidecar.istio.io/inject"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A workload with the pods in doubt; `text_only` where nothing but their images is. `under` is what injects."""

    workload: Workload
    pods: tuple[ObservedPod, ...]
    text_only: bool
    under: str

    @property
    def place(self) -> str:
        return self.workload.ref.namespace

    @property
    def key(self) -> str:
        """The same for templates that one configuration injects alike."""
        return f"{self.under} {template_key(self.workload)}"


def doubts_of(state: ClusterState, settled: str) -> Iterable[Doubt]:
    """Each workload with pods in doubt; `settled` is since when the injector's configuration is in force."""
    sidecar, injector = state.sidecar, state.injector
    if sidecar is None:
        return
    under = injector.known_as if injector else ""
    labelled = {seen.name for seen in state.namespaces if seen.injected}

    def is_of_today(pod: ObservedPod) -> bool:
        """Whether it comes of a restart under this very injector."""
        if injector is None or pod.annotations.get(RESTARTED_UNDER) != injector.digest:
            return False
        return pod.created > injector.beside and pod.created >= sidecar.configured  # times are whole seconds

    for workload in state.workloads:
        if workload.own_image or workload.desired == 0:
            continue  # a template's own proxy is its people's
        newest = (*workload.pods, *workload.arriving)
        if workload.rolling and any(is_current(workload, pod, sidecar) for pod in newest):
            continue  # its rollout brings the current one
        if not (workload.opted_in or workload.ref.namespace in labelled):
            continue  # a run is about to label it
        pods = [pod for pod in workload.pods if not (pod.opted_out or pod.grpc_template)]
        kept_out = [pod for pod in workload.pods if _was_kept_out(workload, pod)]
        older = [pod for pod in pods if pod.created < settled and not is_of_today(pod)]
        by_text = [pod for pod in pods if not (is_current(workload, pod, sidecar) or was_tried(workload, pod, sidecar))]
        if workload.rolling:  # no new pod is there: is it refused?
            if by_text:
                yield Doubt(workload, tuple(by_text), text_only=True, under=under)
            continue
        bare = [*kept_out, *(pod for pod in pods if is_bare(pod))]
        if bare and bare != by_text:
            yield Doubt(workload, tuple(bare), text_only=False, under=under)
        elif by_text:
            yield Doubt(workload, tuple(by_text), text_only=True, under=under)
        elif older:
            yield Doubt(workload, tuple(older), text_only=False, under=under)


def _was_kept_out(workload: Workload, pod: ObservedPod) -> bool:
    """Whether the pod opted out, and its template did not: a policy told that pod to, and may tell the next one not."""
    metadata = workload.template.get("metadata") or {}
    asked = (metadata.get("labels") or {}).get(_INJECT) or (metadata.get("annotations") or {}).get(_INJECT)
    return pod.opted_out and not (pod.injected or pod.host_network or asked == "false")
