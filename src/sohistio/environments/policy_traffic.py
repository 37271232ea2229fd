"""Keys of `policy` about traffic: ingress, egress, defaults."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.failover import Host
from sohistio.environments.policy_access import Names, ServiceAccounts, at_least_one
from sohistio.environments.values import Address, Count, MeshNamespace, Name, Part, Port, Seconds, matching, once
from sohistio.model.policy_traffic import (
    Connections,
    Egress,
    ExternalHost,
    IngressHosts,
    NamespaceDefaults,
    OutlierDetection,
    OutsideProtocol,
    OutsideTls,
    RateLimit,
    Retries,
    Route,
)

_HTTPS, _HTTP = 443, 80
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SERVED = rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})+"
ServedHost = Annotated[
    str, AfterValidator(matching(_SERVED, "a full name in lower case such as shop.example.com, or *.example.com"))
]
ServedHosts = Annotated[tuple[ServedHost, ...], Field(strict=False), AfterValidator(at_least_one), AfterValidator(once)]
Service = Annotated[
    str,
    AfterValidator(
        matching(
            r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?\.[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "service.namespace, such as orders.shop"
        )
    ),
]
Prefix = Annotated[str, AfterValidator(matching(r"^/[^?#*\s]*$", "a path such as / or /api"))]
RetryOn = Annotated[
    str, AfterValidator(matching(r"^[a-z0-9-]+(,[a-z0-9-]+)*$", "Envoy's conditions, such as 5xx,reset"))
]


class RouteKeys(Part):
    """Requests whose path begins here go to a Service."""

    path: Prefix = "/"
    service: Service
    port: Port

    def data(self) -> Route:
        """The same as plain data."""
        name, _, namespace = self.service.partition(".")
        return Route(self.path, name, namespace, self.port)


class IngressKeys(Part):
    """Hosts that the ingress gateway serves by TLS; plain HTTP is redirected."""

    name: Name = Field(description="Of the Gateway and the VirtualService")
    hosts: ServedHosts
    credential_name: Name = Field(description="Secret with the certificate, in the ingress gateway's namespace")
    routes: Annotated[tuple[RouteKeys, ...], Field(strict=False)]

    @model_validator(mode="after")
    def _fits(self) -> IngressKeys:
        if self.name.startswith("egress-"):
            raise ValueError("expected a name that does not begin with egress-: those are policy.egress's")
        paths = [route.path.rstrip("/") for route in self.routes]
        if not paths or len(set(paths)) < len(paths):
            raise ValueError("expected routes, each path once")
        return self

    def entry(self) -> IngressHosts:
        """The same as plain data."""
        return IngressHosts(self.name, self.hosts, self.credential_name, tuple(route.data() for route in self.routes))


class ExternalHostKeys(Part):
    """An external host, and who may call it through the egress gateway."""

    host: Host
    port: Port = Field(_HTTPS, description="Where it listens")
    application_port: Port | None = Field(None, description="Where applications call it")
    protocol: Literal["http", "tcp"] | None = Field(None, description="http for 80 and 443, else tcp")
    tls: Literal["originate", "passthrough", "none"] | None = Field(
        None, description="Who speaks TLS with it: the egress gateway, the application, nobody"
    )
    namespaces: Names = Field((), description="Namespaces that may call it")
    service_accounts: ServiceAccounts = Field((), description="Or single ServiceAccounts, as namespace/name")
    addresses: Annotated[tuple[Address, ...], Field(strict=False), AfterValidator(once)] = Field(
        (), description="IPv4 addresses, where DNS is not to be asked"
    )
    ca_credential: Name | None = Field(
        None, description="Secret of the egress gateway's namespace with ca.crt, for an authority that is not public"
    )

    @model_validator(mode="after")
    def _fits(self) -> ExternalHostKeys:
        if not (self.namespaces or self.service_accounts):
            raise ValueError("expected at least one of namespaces and serviceAccounts: who may call it")
        if self.host.endswith((".svc", ".svc.cluster.local")):
            raise ValueError("expected a host outside the cluster: calls within it need no egress")
        data = self.data()
        if self.ca_credential and data.tls is not OutsideTls.ORIGINATE:
            raise ValueError("expected tls originate beside caCredential: else the gateway checks no certificate")
        if data.tls is OutsideTls.PASSTHROUGH and data.application_port != data.port:
            raise ValueError("expected no applicationPort beside tls passthrough: the application speaks to the host")
        return self

    def data(self) -> ExternalHost:
        """The same as plain data, with what follows from the port."""
        protocol = OutsideProtocol(self.protocol or ("http" if self.port in (_HTTP, _HTTPS) else "tcp"))
        is_https = protocol is OutsideProtocol.HTTP and self.port == _HTTPS
        tls = OutsideTls(self.tls or ("originate" if is_https else "none"))
        called = _HTTP if protocol is OutsideProtocol.HTTP and tls is OutsideTls.ORIGINATE else self.port
        return ExternalHost(
            self.host,
            self.port,
            self.application_port or called,
            protocol,
            tls,
            self.namespaces,
            self.service_accounts,
            self.addresses,
            self.ca_credential or "",
        )


class EgressKeys(Part):
    """What leaves the mesh."""

    mode: Literal["registryOnly", "allowAny"] = Field(
        "registryOnly", description="Whether external hosts that are not declared are closed"
    )
    hosts: Annotated[tuple[ExternalHostKeys, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _fits(self) -> EgressKeys:
        names = [item.host for item in self.hosts]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"expected each host once, {twice[0]} is given twice")
        # Objects are named after hosts.
        if alike := sorted(
            name for name in names if [other.replace(".", "-") for other in names].count(name.replace(".", "-")) > 1
        ):
            raise ValueError(f"expected hosts that differ by more than dots and dashes, got {' and '.join(alike)}")
        # A TCP connection without an address of its own is told apart by its port alone; HTTP takes a port for all.
        at_port: dict[int, list[ExternalHost]] = defaultdict(list)
        for item in (found.data() for found in self.hosts):
            is_http = item.protocol is OutsideProtocol.HTTP
            if item.tls is not OutsideTls.PASSTHROUGH and (is_http or not item.addresses):
                at_port[item.application_port].append(item)
        for port, items in at_port.items():
            lacking = [item.host for item in items if item.protocol is OutsideProtocol.TCP]
            if lacking and len(items) > 1:
                with_others = ", ".join(item.host for item in items)
                raise ValueError(f"expected addresses of {', '.join(lacking)}: port {port} is shared ({with_others})")
        return self

    def egress(self) -> Egress:
        """The same as plain data."""
        return Egress(self.mode == "registryOnly", tuple(item.data() for item in self.hosts))


class RetriesKeys(Part):
    """How often a call that failed is tried again."""

    attempts: Annotated[int, Field(ge=0, le=10)]
    per_try: Seconds | None = Field(None, description="Time for each try")
    when: RetryOn | None = Field(None, description="As Envoy names it, such as 5xx,reset")


class OutlierDetectionKeys(Part):
    """When an endpoint that fails is left out for a while."""

    consecutive_5xx: Count = Field(5, alias="consecutive5xx")
    interval: Seconds = 10
    ejection: Seconds = 30
    max_ejection_percent: Annotated[int, Field(ge=1, le=100)] = 50


class ConnectionsKeys(Part):
    """A client's limits to one service; 0 leaves it to Istio."""

    max: Annotated[int, Field(ge=0)] = 0
    max_pending: Annotated[int, Field(ge=0)] = 0
    max_requests_per_connection: Annotated[int, Field(ge=0)] = 0


class RateLimitKeys(Part):
    """How many requests each pod answers."""

    requests: Count
    per: Seconds = 1


class NamespaceDefaultsKeys(Part):
    """How calls to a namespace's services behave."""

    namespace: MeshNamespace
    services: Names = Field((), description="The Services that retries and timeout are for")
    load_balancing: Literal["leastRequest", "roundRobin", "random"] | None = None
    retries: RetriesKeys | None = None
    timeout: Seconds | None = None
    outlier_detection: OutlierDetectionKeys | None = None
    connections: ConnectionsKeys | None = None
    rate_limit: RateLimitKeys | None = None

    @model_validator(mode="after")
    def _fits(self) -> NamespaceDefaultsKeys:
        routed = self.retries is not None or self.timeout is not None
        if routed != bool(self.services):
            raise ValueError("expected services beside retries or timeout, and only there: each needs a route")
        return self

    def data(self) -> NamespaceDefaults:
        """The same as plain data."""
        retries, outlier, limits, rate = self.retries, self.outlier_detection, self.connections, self.rate_limit
        return NamespaceDefaults(
            self.namespace,
            self.services,
            self.load_balancing or "",
            Retries(retries.attempts, retries.per_try or 0, retries.when or "") if retries else None,
            self.timeout or 0,
            OutlierDetection(outlier.consecutive_5xx, outlier.interval, outlier.ejection, outlier.max_ejection_percent)
            if outlier
            else None,
            Connections(limits.max, limits.max_pending, limits.max_requests_per_connection) if limits else None,
            RateLimit(rate.requests, rate.per) if rate else None,
        )
