"""Which hosts come in, which external ones may be called, and how calls behave. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from sohistio.model.outside import OutsideProtocol, OutsideTls


@dataclass(frozen=True, slots=True)
class Route:
    """Requests whose path begins with `prefix` go to a Service (`service.namespace`) at `port`."""

    prefix: str
    service: str
    namespace: str
    port: int


@dataclass(frozen=True, slots=True)
class IngressHosts:
    """Hosts that the ingress gateway serves with the certificate of Secret `credential`; plain HTTP is redirected."""

    name: str
    hosts: tuple[str, ...]
    credential: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class ExternalHost:
    """An external host that may be called, through the egress gateway, by `namespaces` or `service_accounts`.

    Applications call it at `application_port`; it listens at `port`. `addresses` are its IPv4 addresses, where DNS is
    not to be asked. `ca_credential` is a Secret of istio-system with `ca.crt`, for an authority that is not public.
    """

    host: str
    port: int
    application_port: int
    protocol: OutsideProtocol
    tls: OutsideTls
    namespaces: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ca_credential: str = ""

    @property
    def callers(self) -> tuple[str, ...]:
        """The namespaces that call it, sorted."""
        return tuple(sorted({*self.namespaces, *(item.partition("/")[0] for item in self.service_accounts)}))


@dataclass(frozen=True, slots=True)
class Egress:
    """External hosts; with `registry_only` all that are not declared (here or by a ServiceEntry) are closed."""

    registry_only: bool = True
    hosts: tuple[ExternalHost, ...] = ()


@dataclass(frozen=True, slots=True)
class Retries:
    """`on` is Envoy's list, such as `5xx,reset`."""

    attempts: int
    per_try_seconds: int = 0
    on: str = ""


@dataclass(frozen=True, slots=True)
class OutlierDetection:
    """When an endpoint is left out for a while: after so many 5xx in a row, seen every `interval_seconds`."""

    consecutive_5xx: int
    interval_seconds: int
    ejection_seconds: int
    max_ejection_percent: int


@dataclass(frozen=True, slots=True)
class Connections:
    """Limits of a client to one service; 0 is Istio's default."""

    max_connections: int = 0
    max_pending_requests: int = 0
    max_requests_per_connection: int = 0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Each pod answers so many requests in each `per_seconds`, and 429 beyond."""

    requests: int
    per_seconds: int


@dataclass(frozen=True, slots=True)
class NamespaceDefaults:
    """How calls to a namespace's services behave. `retries` and `timeout_seconds` are for the `services` named.

    Each `0` or None is left to Istio.
    """

    namespace: str
    services: tuple[str, ...] = ()
    load_balancing: str = ""
    retries: Retries | None = None
    timeout_seconds: int = 0
    outlier_detection: OutlierDetection | None = None
    connections: Connections | None = None
    rate_limit: RateLimit | None = None
