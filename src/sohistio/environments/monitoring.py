"""The key `monitoring`: what watches the mesh: parts that sohistio runs, and a Prometheus that is there already."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from sohistio.environments.failover import Host
from sohistio.environments.monitoring_alerts import AlertsKeys
from sohistio.environments.monitoring_parts import GrafanaKeys, JaegerKeys, KialiKeys, PrometheusKeys
from sohistio.environments.policy_access import Claims, at_least_one
from sohistio.environments.values import Name, Part
from sohistio.model import monitoring as plain
from sohistio.model.hosts import is_loopback

_RANGE = re.compile(r"[0-9a-fA-F.:]+(/[0-9]+)?")  # Istio takes neither a netmask nor a zone
_WIDEST = {4: 8, 6: 16}
_RUNBOOKS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/%+=&?-]*)?")
_IN_THE_CLUSTER = (".svc", ".svc.cluster.local")


def _prometheus(value: str) -> str:
    expected = "expected Prometheus' URL such as https://prometheus.example.com, without a login, ? and #"
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in ("https", "http") or not host or parts.username is not None:
        raise ValueError(expected)
    if parts.query or parts.fragment or any(letter.isspace() for letter in value):
        raise ValueError(expected)
    if parts.scheme == "http" and not (is_loopback(host) or host.endswith(_IN_THE_CLUSTER)):
        raise ValueError("expected https: http is for this machine and for names of the cluster such as a.b.svc")
    return value


def _runbooks(value: str) -> str:
    # Prometheus takes {{ for a template: its rules would not load.
    if not _RUNBOOKS.fullmatch(value):
        raise ValueError("expected the https URL of a copy of docs/monitoring.md, without a login, # and {")
    return value


def _addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        try:
            network = ipaddress.ip_network(value if _RANGE.fullmatch(value) else "")
        except ValueError:
            raise ValueError(f"expected addresses or ranges such as 10.20.0.0/16, got {value}") from None
        mapped = isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None
        if network.prefixlen < _WIDEST[network.version] or mapped:
            raise ValueError(f"expected ranges of your own, of /8 at the most (IPv6: /16), got {value}")
    return values


class ExposeKeys(Part):
    """The pages at the ingress gateway: /grafana/, /prometheus/, /kiali/, /jaeger/. Never without authentication."""

    host: Host
    credential_name: Name = Field(description="Secret with the certificate, in the ingress gateway's namespace")
    claims: Claims = Field({}, description="What a valid token (of policy.jwt) must say, such as groups: [on-call]")
    addresses: (
        Annotated[tuple[str, ...], Field(strict=False), AfterValidator(at_least_one), AfterValidator(_addresses)] | None
    ) = Field(None, description="In place of tokens: the addresses that callers have, such as 10.20.0.0/16")

    @model_validator(mode="after")
    def _one_way(self) -> ExposeKeys:
        if bool(self.addresses) == bool(self.claims):
            raise ValueError("expected one of claims (what a token must say) and addresses")
        return self

    def data(self) -> plain.Exposure:
        """The same as plain data."""
        return plain.Exposure(self.host, self.credential_name, tuple(sorted(self.claims.items())), self.addresses or ())


class Monitoring(Part):
    """What watches the mesh. A part that is not named is not there."""

    prometheus_url: Annotated[str, AfterValidator(_prometheus)] | None = Field(
        None, alias="prometheusURL", description="Any Prometheus that scrapes the mesh; http only inside the cluster"
    )
    prometheus: PrometheusKeys | None = None
    grafana: GrafanaKeys | None = None
    kiali: KialiKeys | None = None
    jaeger: JaegerKeys | None = None
    alerts: AlertsKeys | None = None
    expose: ExposeKeys | None = None
    runbooks: Annotated[str, AfterValidator(_runbooks)] | None = Field(
        None, alias="runbookURL", description="Where your people read docs/monitoring.md: alerts link to it"
    )

    @model_validator(mode="after")
    def _fits(self) -> Monitoring:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        for name, part in (("alerts", self.alerts), ("grafana", self.grafana), ("kiali", self.kiali)):
            if part is not None and self.prometheus is None:
                yield f"expected prometheus beside {name}: it reads what Prometheus has"
        if self.expose and not any((self.prometheus, self.grafana, self.kiali, self.jaeger)):
            yield "expected prometheus, grafana, kiali or jaeger beside expose"

    def data(self) -> plain.Monitoring:
        """The same as plain data."""
        return plain.Monitoring(
            self.prometheus.data() if self.prometheus else None,
            self.grafana.data() if self.grafana else None,
            self.kiali.data() if self.kiali else None,
            self.jaeger.data() if self.jaeger else None,
            self.alerts.data() if self.alerts else None,
            self.expose.data() if self.expose else None,
            self.runbooks or "",
        )
