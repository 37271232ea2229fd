"""What an environment declares as its mesh's policy. Plain data; `policy/` makes Istio's objects of it.

Whatever is not declared is None or empty, and left as it is in the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sohistio.model.authority import AuthoritySource
from sohistio.model.labels import label_of
from sohistio.model.policy_access import HostAccess, JwtIssuer, WorkloadAccess
from sohistio.model.policy_traffic import Egress, IngressHosts, NamespaceDefaults

POLICY_LABEL = "sohistio/policy"
"""On every object that was made from an environment's policy, with the environment's name: nothing else is pruned."""

ACCESS_LOG_PROVIDER = "sohistio-access-log"
TRACING_PROVIDER = "sohistio-tracing"
"""Extension providers in the mesh's configuration, which the Telemetry object names."""


def policy_label(obj: Mapping[str, Any]) -> str | None:
    """The environment that an object's label names, None without it. A copy of the object may have the label, too."""
    return label_of(obj, POLICY_LABEL)


class Stage(StrEnum):
    """`AUDIT` refuses nothing: what Istio can dry-run is applied so, and what else refuses something is not applied."""

    ENFORCE = "enforce"
    AUDIT = "audit"


class TlsVersion(StrEnum):
    """The oldest TLS that proxies accept."""

    V1_2 = "1.2"
    V1_3 = "1.3"


@dataclass(frozen=True, slots=True)
class Mtls:
    """Between workloads. `permissive` are namespaces that still take plaintext, during a migration.

    `cipher_suites` matter up to TLS 1.2 only; `certificate_seconds` is the life of a workload's certificate.
    """

    strict: bool = True
    permissive: tuple[str, ...] = ()
    min_tls: TlsVersion = TlsVersion.V1_3
    cipher_suites: tuple[str, ...] = ()
    certificate_seconds: int = 24 * 3600


@dataclass(frozen=True, slots=True)
class Tracing:
    """`sampling` in per cent of all requests; spans go by OTLP (gRPC) to `service`:`port`."""

    service: str
    port: int
    sampling: float


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What proxies log, and which requests are traced. An empty `proxy_log_level` leaves it to Istio."""

    access_log: bool = False
    proxy_log_level: str = ""
    tracing: Tracing | None = None


@dataclass(frozen=True, slots=True)
class GatewayPlace:
    """A gateway: its Service, and the labels of its pods that Gateways select."""

    name: str
    namespace: str = "istio-system"
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def host(self) -> str:
        """Its Service's full name."""
        return f"{self.name}.{self.namespace}.svc.cluster.local"


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it."""

    stage: Stage = Stage.ENFORCE
    mtls: Mtls | None = None
    jwt: tuple[JwtIssuer, ...] = ()
    hosts: tuple[HostAccess, ...] = ()
    workloads: tuple[WorkloadAccess, ...] = ()
    ingress: tuple[IngressHosts, ...] = ()
    egress: Egress | None = None
    defaults: tuple[NamespaceDefaults, ...] = ()
    telemetry: Telemetry | None = None
    ingress_gateway: GatewayPlace = GatewayPlace("istio-ingressgateway", labels=(("istio", "ingressgateway"),))
    egress_gateway: GatewayPlace = GatewayPlace("istio-egressgateway", labels=(("istio", "egressgateway"),))
    more_ingress_gateways: tuple[GatewayPlace, ...] = ()
    authority: AuthoritySource | None = None

    @property
    def guarded_gateways(self) -> tuple[GatewayPlace, ...]:
        """Every ingress gateway, each once by the labels of its pods: a listed host is closed at all of them."""
        found: dict[tuple[tuple[str, str], ...], GatewayPlace] = {}
        for gateway in (self.ingress_gateway, *self.more_ingress_gateways):
            found.setdefault(gateway.labels, gateway)
        return tuple(found.values())

    @property
    def is_audit(self) -> bool:
        """Whether nothing may be refused yet."""
        return self.stage is Stage.AUDIT

    @property
    def names_paths(self) -> bool:
        """Whether a rule says which paths may be called."""
        operations = [rule.operation for access in self.hosts for rule in access.allow]
        operations += [rule.operation for access in self.workloads for rule in access.allow]
        return any(operation.paths for operation in operations)

    @property
    def registry_only(self) -> bool:
        """Whether external hosts that are not declared are closed."""
        return self.egress is not None and self.egress.registry_only and not self.is_audit
