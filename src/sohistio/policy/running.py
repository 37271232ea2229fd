"""What runs in the cluster, as far as a policy concerns it: workloads with and without a proxy, and their Services."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sohistio.model.state import ObjectRef

RawObject = Mapping[str, Any]
_PROXY, _HASH = "istio-proxy", "pod-template-hash"
# A Job of a CronJob has the CronJob's name and the minute for which it was scheduled.
_SCHEDULED = re.compile(r"-\d{8}$")
_EXCLUDED = "traffic.sidecar.istio.io/excludeInboundPorts"
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Running:
    """A workload by one of its pods. `sidecar` where all of them have one, `gateway` where the proxy is a gateway's.

    `words` are its containers' arguments and environment (name and value), as far as the pod itself has them.
    """

    ref: ObjectRef
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    service_account: str = "default"
    sidecar: bool = False
    gateway: bool = False
    host_network: bool = False
    ports: Mapping[str, int] = field(default_factory=dict)
    words: tuple[tuple[str, str], ...] = ()

    @property
    def namespace(self) -> str:
        """Where it runs."""
        return self.ref.namespace

    @property
    def serves(self) -> bool:
        """Whether a sidecar stands before it, which mTLS and rules of workloads are about."""
        return self.sidecar and not self.gateway

    def passes_by(self, port: int) -> bool:
        """Whether a port does not go through its sidecar (Istio's annotation)."""
        return str(port) in self.annotations.get(_EXCLUDED, "").replace(" ", "").split(",")


def running(pods: Iterable[RawObject]) -> tuple[Running, ...]:
    """The workloads of pods that run or are about to, and Jobs that have ended, as they run again; sorted."""
    found: dict[ObjectRef, Running] = {}
    for pod in pods:
        ref = _owner(pod)
        ended = (pod.get("status") or {}).get("phase") in _ENDED
        if "deletionTimestamp" in pod["metadata"] or (ended and ref.kind not in ("Job", "CronJob")):
            continue
        seen = _seen(ref, pod)
        known = found.get(ref)
        found[ref] = replace(seen, sidecar=seen.sidecar and (known is None or known.sidecar))
    return tuple(found[ref] for ref in sorted(found))


def behind(service: RawObject, workloads: Iterable[Running]) -> Iterator[Running]:
    """The workloads that a Service selects."""
    labels = (service.get("spec") or {}).get("selector") or {}
    place = service["metadata"]["namespace"]
    for workload in workloads:
        if labels and workload.namespace == place and labels.items() <= workload.labels.items():
            yield workload


def target_port(port: RawObject, workload: Running) -> int:
    """The container's port that a Service's port leads to; 0 for a name that no container has."""
    target = port.get("targetPort") or port["port"]
    return target if isinstance(target, int) else workload.ports.get(str(target), 0)


def _owner(pod: RawObject) -> ObjectRef:
    metadata = pod["metadata"]
    place, labels = metadata.get("namespace", ""), metadata.get("labels") or {}
    for owner in metadata.get("ownerReferences") or ():
        if not owner.get("controller"):
            continue
        kind, name = owner["kind"], owner["name"]
        if kind == "ReplicaSet" and (suffix := labels.get(_HASH)) and name.endswith(f"-{suffix}"):
            return ObjectRef("Deployment", place, name.removesuffix(f"-{suffix}"))
        if kind == "Job" and _SCHEDULED.search(name):
            return ObjectRef("CronJob", place, _SCHEDULED.sub("", name))
        return ObjectRef(kind, place, name)
    return ObjectRef("Pod", place, metadata["name"])


def _seen(ref: ObjectRef, pod: RawObject) -> Running:
    metadata, spec = pod["metadata"], pod["spec"]
    containers: Sequence[RawObject] = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    proxy = next((item for item in containers if item["name"] == _PROXY), None)
    own = [item for item in containers if item["name"] != _PROXY]
    return Running(
        ref,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        service_account=spec.get("serviceAccountName") or "default",
        sidecar=proxy is not None,
        gateway=proxy is not None and "router" in (proxy.get("args") or ()),
        host_network=bool(spec.get("hostNetwork", False)),
        ports={
            port["name"]: port["containerPort"] for item in own for port in item.get("ports") or () if "name" in port
        },
        words=tuple(word for item in own for word in _words(item)),
    )


def _words(container: RawObject) -> Iterator[tuple[str, str]]:
    for text in (*(container.get("command") or ()), *(container.get("args") or ())):
        name, separator, value = str(text).partition("=")
        yield (name, value) if separator and name.startswith("-") else ("", str(text))
    for item in container.get("env") or ():
        if item.get("value"):
            yield str(item["name"]), str(item["value"])
