"""What was observed of the mesh's traffic in the last day. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = "unknown"
"""What Istio's metrics say where a proxy knows nothing of the other side, as of a client without a sidecar."""
_SPIFFE = "spiffe://"


@dataclass(frozen=True, order=True, slots=True)
class Peer:
    """A workload by its namespace and name, and what it identifies itself with (a SPIFFE id without `spiffe://`).

    What a metric does not know is empty.
    """

    namespace: str = ""
    workload: str = ""
    principal: str = ""

    @classmethod
    def of(cls, namespace: str, workload: str, principal: str = "") -> Peer:
        """By the labels of a metric."""
        known = ("" if text == UNKNOWN else text for text in (namespace, workload, principal.removeprefix(_SPIFFE)))
        return cls(*known)

    def __str__(self) -> str:
        if self.workload and self.namespace:
            return f"{self.namespace}/{self.workload}"
        return self.principal or self.workload or self.namespace or "unknown clients"


@dataclass(frozen=True, order=True, slots=True)
class Call:
    """`count` requests, or connections where it is `tcp`, from one workload to another."""

    source: Peer
    destination: Peer
    tcp: bool = False
    count: int = 0


@dataclass(frozen=True, order=True, slots=True)
class DryRun:
    """`count` requests or connections that an AuthorizationPolicy in dry run would have refused.

    `where` is what the metric names: a namespace and a pod, or less. `listener` is Envoy's, such as
    `inbound_0.0.0.0_8080`, empty for one that is not HTTP.
    """

    where: str
    listener: str
    count: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """Of the last day: calls without mTLS, calls with whom they identified themselves as, and the workloads that
    called hosts outside of the mesh's registry.
    """

    plaintext: tuple[Call, ...] = ()
    calls: tuple[Call, ...] = ()
    passthrough: tuple[Call, ...] = ()
