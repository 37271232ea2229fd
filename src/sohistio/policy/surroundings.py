"""What a policy would meet in a cluster: what runs there, who leads to it, what is configured. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sohistio.model.policy import Policy
from sohistio.model.state import ObjectRef
from sohistio.model.traffic import Traffic
from sohistio.plan.changes import ref_of
from sohistio.policy.mtls_modes import MtlsModes
from sohistio.policy.objects import ROOT, Object
from sohistio.policy.running import RawObject, Running

SYSTEM = frozenset(
    {
        ROOT,
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "gatekeeper-system",
        "calico-system",
        "tigera-operator",
        "aks-istio-system",
    }
)
"""Namespaces of the platform: what runs there calls the API server and nodes, not applications."""


@dataclass(frozen=True)
class Surroundings:
    """`wanted` are the objects of the policy as it would refuse, `live` those of the cluster, of Istio's kinds; `going`
    are those of an earlier policy that are deleted.

    `injected` are namespaces whose new pods get a sidecar; `restarted` workloads get theirs before the policy is
    applied. `outside_is_closed` where the mesh refuses undeclared external hosts today. `traffic` is None where no
    Prometheus is asked. `ingress_controllers` are the controllers of IngressClasses by their names.
    """

    policy: Policy
    wanted: Sequence[Object] = ()
    live: Mapping[ObjectRef, RawObject] = field(default_factory=dict)
    going: frozenset[ObjectRef] = frozenset()
    workloads: Sequence[Running] = ()
    services: Sequence[RawObject] = ()
    ingresses: Sequence[RawObject] = ()
    ingress_controllers: Mapping[str, str] = field(default_factory=dict)
    injected: frozenset[str] = frozenset()
    restarted: frozenset[ObjectRef] = frozenset()
    outside_is_closed: bool = False
    traffic: Traffic | None = None

    @cached_property
    def coming(self) -> Mapping[ObjectRef, RawObject]:
        """What is there once the policy is applied. An object keeps its age; what is no longer declared is gone."""
        wanted = {ref_of(obj): obj for obj in self.wanted}
        kept = {ref: obj for ref, obj in self.live.items() if ref not in self.going and ref not in wanted}
        return kept | {ref: _with_age(obj, self.live.get(ref)) for ref, obj in wanted.items()}

    @cached_property
    def modes_now(self) -> MtlsModes:
        """Of mTLS, today."""
        return MtlsModes.of(self.live.values())

    @cached_property
    def modes_then(self) -> MtlsModes:
        """Of mTLS, once the policy is applied."""
        return MtlsModes.of(self.coming.values())

    @cached_property
    def closing(self) -> tuple[Running, ...]:
        """The workloads with a sidecar that take plaintext today and would not any more."""
        return tuple(item for item in self.workloads if self.has_sidecar(item) and self.closes(item))

    def closes(self, workload: Running, port: int = 0) -> bool:
        """Whether it takes plaintext today, at a port if one is given, and would not any more."""
        if workload.gateway or (port and workload.passes_by(port)):
            return False
        return self.modes_then.strict(workload, port) and not self.modes_now.strict(workload, port)

    def has_sidecar(self, workload: Running) -> bool:
        """Whether it has one once the policy is applied."""
        return workload.sidecar or workload.ref in self.restarted

    @property
    def closes_outside(self) -> bool:
        """Whether external hosts that are not declared can be called today, and could not any more."""
        egress = self.policy.egress
        return egress is not None and egress.registry_only and not self.outside_is_closed

    def named(self, namespace: str, name: str) -> Running | None:
        """A workload by what Istio's metrics call it."""
        found = (item for item in self.workloads if item.namespace == namespace and item.ref.name == name)
        return next(found, None)

    def service(self, namespace: str, name: str) -> RawObject | None:
        """A Service."""
        for item in self.services:
            if item["metadata"]["namespace"] == namespace and item["metadata"]["name"] == name:
                return item
        return None


def of_kind(objects: Mapping[ObjectRef, RawObject], *kinds: str) -> Iterator[tuple[ObjectRef, RawObject]]:
    """Those of some kinds, sorted."""
    return ((ref, objects[ref]) for ref in sorted(ref for ref in objects if ref.kind in kinds))


def namespaces_of(workloads: Iterable[Running]) -> tuple[str, ...]:
    """Theirs, sorted."""
    return tuple(sorted({workload.namespace for workload in workloads}))


def _with_age(obj: Object, live: RawObject | None) -> RawObject:
    if live is None or "creationTimestamp" not in live["metadata"]:
        return obj
    return obj | {"metadata": obj["metadata"] | {"creationTimestamp": live["metadata"]["creationTimestamp"]}}
