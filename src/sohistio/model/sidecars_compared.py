"""Until when all sidecars were known to be what the injector gives: so that nobody asks about them again. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sohistio.model.json_values import text_in
from sohistio.model.staleness import lacking
from sohistio.model.state import ClusterState, ObservedPod


@dataclass(frozen=True, slots=True)
class SidecarsCompared:
    """Pods created `as_of` then (ISO 8601, UTC, the cluster's clock) or before have what the injector gives that is
    known as `under` (`Injector.known_as`)."""

    under: str
    as_of: str

    def covers(self, pod: ObservedPod, under: str) -> bool:
        """Whether the pod is known to have what such an injector gives."""
        return self.under == under and "" < pod.created <= self.as_of

    def document(self) -> Mapping[str, str]:
        """As JSON."""
        return {"under": self.under, "asOf": self.as_of}

    @classmethod
    def of(cls, value: object) -> SidecarsCompared | None:
        """Read the JSON back; None for anything else: then they are compared again."""
        if not isinstance(value, Mapping):
            return None
        try:
            return cls(text_in(value, "under", "sidecars"), text_in(value, "asOf", "sidecars"))
        except ValueError:
            return None


def all_compared(state: ClusterState) -> SidecarsCompared | None:
    """What may be kept of a look with dry runs; None where a sidecar differs, or could not be compared."""
    sidecar, pods = state.sidecar, [pod for workload in state.workloads for pod in workload.pods]
    unsure = state.not_compared or state.passed_over or state.refused
    if sidecar is None or state.injector is None or unsure or not pods:
        return None
    for workload in state.workloads:
        found = any(pod.compared is not None and pod.compared.changes for pod in workload.pods)
        if workload.rolling or found or any(lacking(workload, pod, sidecar) for pod in workload.pods):
            return None
    return SidecarsCompared(state.injector.known_as, max(pod.created for pod in pods))
