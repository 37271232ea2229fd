"""Keys of `policy` about traffic: ingress, egress, defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.policy_access import Names, at_least_one
from sohistio.environments.values import Count, MeshNamespace, Name, Part, Port, Seconds, matching, once
from sohistio.model.policy_traffic import (
    Connections,
    IngressHosts,
    NamespaceDefaults,
    OutlierDetection,
    RateLimit,
    Retries,
    Route,
)

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
        if not self.model_fields_set - {"namespace", "services"}:
            raise ValueError("expected something beside namespace: what holds for calls to it")
        if self.retries and self.retries.per_try and self.timeout and self.retries.per_try > self.timeout:
            raise ValueError("expected perTry to be at most timeout")
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
