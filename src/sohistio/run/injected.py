"""Whether what a restart brings up has a sidecar: as soon as one has none, nothing else is restarted.

A dry run said so before the list began. The default tag may be deleted while it works, and a pod that comes up without
a sidecar is as ready as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sohistio.adapters.kubernetes.api import KubeApi, Object
from sohistio.errors import FailedError
from sohistio.model.injected import has_sidecar
from sohistio.model.state import ObjectRef, Workload
from sohistio.system.machine import clock

_EACH_SECONDS = 1.0
_TODO = (
    "`sohistio verify` says whether Istio's webhooks are well (webhooks-alive), and `sohistio install` mends them. "
    "If they are well, another webhook takes the sidecar out. `sohistio restart` then finds those pods, and goes on."
)


class Injected:
    """A look at new pods: of each namespace's first workload that comes up, and then at one workload a second."""

    def __init__(self, api: KubeApi, workloads: Iterable[Workload]) -> None:
        self._api = api
        self._labels = {workload.ref: _labels_of(workload) for workload in workloads}
        self._seen: set[str] = set()
        self._looked_at = 0.0

    def has_looked_at(self, place: str) -> bool:
        """Whether a workload of that namespace has come up with a sidecar."""
        return place in self._seen

    def look(self, up: Sequence[ObjectRef], queued: int) -> None:
        """Raises FailedError where one that came up has no sidecar; `queued` were not begun."""
        for ref in up:
            if ref.namespace in self._seen and clock() - self._looked_at < _EACH_SECONDS:
                continue
            self._seen.add(ref.namespace)
            self._looked_at = clock()
            if pod := self._bare(ref):
                rest = f"; {queued} more {'was' if queued == 1 else 'were'} not started" if queued else ""
                raise FailedError(
                    f"{ref} came up without a sidecar: new pods get none any more{rest}",
                    details=(f"Pod {ref.namespace}/{pod} has none",),
                    todo=_TODO,
                )

    def _bare(self, ref: ObjectRef) -> str:
        """The newest pod, where it has no sidecar; else empty."""
        asked = ",".join(f"{key}={value}" for key, value in self._labels[ref].items())
        pods = self._api.items(f"/api/v1/namespaces/{ref.namespace}/pods", labels=asked)
        newest = max((pod for pod in pods if _is_of(pod, ref)), key=_made, default=None)
        return "" if newest is None or has_sidecar(newest) else str(newest["metadata"]["name"])


def _labels_of(workload: Workload) -> Mapping[str, str]:
    return (workload.template.get("metadata") or {}).get("labels") or {}


def _is_of(pod: Object, ref: ObjectRef) -> bool:
    """Whether it is the workload's, and stays: pods of others may have the same labels."""
    metadata = pod["metadata"]
    if "deletionTimestamp" in metadata:
        return False
    name = ref.name
    if ref.kind == "Deployment":
        name += f"-{(metadata.get('labels') or {}).get('pod-template-hash', '')}"
    return any(owner.get("name") == name for owner in metadata.get("ownerReferences") or ())


def _made(pod: Object) -> str:
    return str(pod["metadata"]["creationTimestamp"])
