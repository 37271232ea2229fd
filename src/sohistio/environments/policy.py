"""The key `policy`: the mesh's mTLS, who may call what, what comes in and goes out, what is logged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from sohistio.environments.authority import AuthorityKeys
from sohistio.environments.policy_access import HostAccessKeys, JwtKeys, WorkloadAccessKeys
from sohistio.environments.policy_egress import EgressKeys
from sohistio.environments.policy_traffic import IngressKeys, NamespaceDefaultsKeys
from sohistio.environments.values import MeshNamespace, Part, Port, Seconds, matching, once, twice
from sohistio.model.policy import (
    Mtls,
    Policy,
    Stage,
    Telemetry,
    TlsVersion,
    Tracing,
)

# Forward secrecy and authenticated encryption, as Envoy names them; Mozilla's list "intermediate" of TLS 1.2.
STRONG_CIPHER_SUITES = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)
_LOG_LEVELS = ("trace", "debug", "info", "warning", "error", "critical", "off")
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_service = matching(rf"{_LABEL}(\.{_LABEL})+", "service.namespace, or a full host name")
_LONGEST_CERTIFICATE = 90 * 24 * 3600
_ENOUGH_FOR_A_ROTATION = 600


def _cipher_suites(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if value not in STRONG_CIPHER_SUITES:
            raise ValueError(f"expected strong cipher suites: {', '.join(STRONG_CIPHER_SUITES)}; got {value}")
    return once(values)


def _certificate_seconds(value: int) -> int:
    # istiod's MAX_WORKLOAD_CERT_TTL caps it at 90 days; proxies renew at half-life.
    if not _ENOUGH_FOR_A_ROTATION <= value <= _LONGEST_CERTIFICATE:
        raise ValueError("expected a life of 10m to 2160h (90 days), such as 24h")
    return value


def _log_level(value: str) -> str:
    if value not in _LOG_LEVELS:
        raise ValueError(f"expected one of {', '.join(_LOG_LEVELS)}")
    return value


class MtlsKeys(Part):
    """Between workloads. Without any key: strict, TLS 1.3, certificates that live 24 h."""

    mode: Literal["strict", "permissive"] = Field("strict", description="Whether plaintext is refused in the mesh")
    permissive: Annotated[tuple[MeshNamespace, ...], Field(strict=False), AfterValidator(once)] = Field(
        (), description="Namespaces that still take plaintext, during a migration"
    )
    min_tls: Literal["1.2", "1.3"] = Field("1.3", description="The oldest TLS that proxies and gateways accept")
    cipher_suites: Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_cipher_suites)] = Field(
        (), description='With minTls "1.2"; without it the strong ones'
    )
    workload_certificates: Annotated[Seconds, AfterValidator(_certificate_seconds)] = Field(
        24 * 3600, description="Life of a workload's certificate, which is renewed at half of it"
    )

    @model_validator(mode="after")
    def _fits(self) -> MtlsKeys:
        if self.permissive and self.mode != "strict":
            raise ValueError("expected mode strict beside permissive: without it every namespace takes plaintext")
        if self.cipher_suites and self.min_tls != "1.2":
            raise ValueError('expected minTls "1.2" beside cipherSuites: those of TLS 1.3 cannot be chosen')
        return self

    def mtls(self) -> Mtls:
        """The same as plain data."""
        suites = self.cipher_suites or (STRONG_CIPHER_SUITES if self.min_tls == "1.2" else ())
        life, oldest = self.workload_certificates, TlsVersion(self.min_tls)
        return Mtls(self.mode == "strict", self.permissive, oldest, suites, life)


class TracingKeys(Part):
    """Where spans go."""

    service: Annotated[str, AfterValidator(_service)] = Field(description="The collector, such as jaeger.observability")
    port: Port = Field(4317, description="Its port for OTLP over gRPC")
    sampling: Annotated[float, Field(strict=False, ge=0, le=100)] = Field(1.0, description="Per cent of all requests")


class TelemetryKeys(Part):
    """What proxies log and trace."""

    access_log: Literal["json", "off"] = Field("off", description="Each request as a line of JSON on standard output")
    proxy_log_level: (
        Annotated[str, AfterValidator(_log_level), WithJsonSchema({"type": "string", "enum": list(_LOG_LEVELS)})] | None
    ) = Field(None, description="What Envoy logs about itself")
    tracing: TracingKeys | None = None

    def telemetry(self) -> Telemetry:
        """The same as plain data."""
        tracing = self.tracing
        return Telemetry(
            self.access_log == "json",
            self.proxy_log_level or "",
            Tracing(tracing.service, tracing.port, tracing.sampling) if tracing else None,
        )


def _words_of(item: WorkloadAccessKeys) -> str:
    labels = ", ".join(f"{name}: {value}" for name, value in sorted(item.labels.items()))
    return f"{item.namespace} ({labels})" if labels else item.namespace


class PolicyKeys(Part):
    """The mesh's policy. What is not given is left as it is."""

    stage: Literal["enforce", "audit"] = Field("enforce", description="audit refuses nothing yet, and reports")
    mtls: MtlsKeys | None = None
    authority: AuthorityKeys | None = Field(None, description="A corporate CA for the mesh (docs/certificates.md)")
    jwt: Annotated[tuple[JwtKeys, ...], Field(strict=False)] = Field(
        (), description="Whose tokens the ingress gateway accepts"
    )
    hosts: Annotated[tuple[HostAccessKeys, ...], Field(strict=False)] = Field(
        (), description="Hosts of the ingress gateway that are closed but for what a rule lets in"
    )
    workloads: Annotated[tuple[WorkloadAccessKeys, ...], Field(strict=False)] = Field(
        (), description="Workloads that are closed but for what a rule lets in"
    )
    ingress: Annotated[tuple[IngressKeys, ...], Field(strict=False)] = Field(
        (), description="Hosts that the platform itself serves at the ingress gateway"
    )
    egress: EgressKeys | None = None
    defaults: Annotated[tuple[NamespaceDefaultsKeys, ...], Field(strict=False)] = Field(
        (), description="How calls to a namespace's services behave"
    )
    telemetry: TelemetryKeys | None = None

    @model_validator(mode="after")
    def _fits(self) -> PolicyKeys:
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        for what, names in (
            ("issuer", [item.issuer for item in self.jwt]),
            ("host of hosts", [host for item in self.hosts for host in item.hosts]),
            ("host of ingress", [host for item in self.ingress for host in item.hosts]),
            ("name of ingress", [item.name for item in self.ingress]),
            ("entry of workloads", [_words_of(item) for item in self.workloads]),
            ("namespace of defaults", [item.namespace for item in self.defaults]),
        ):
            if found := twice(names):
                yield f"expected each {what} once, {found[0]} is given twice"
        if not self.jwt and any(not rule.anonymous for item in self.hosts for rule in item.allow):
            yield "expected jwt: a rule of hosts needs a token unless it says anonymous: true"
        issuers = {item.issuer for item in self.jwt}
        for name in (name for item in self.hosts for rule in item.allow for name in rule.principals):
            if not any(name.startswith(f"{issuer}/") for issuer in issuers):
                yield f"expected principals that begin with an issuer of jwt and a slash, got {name}"

    def policy(self) -> Policy:
        """The same as plain data."""
        return Policy(
            Stage(self.stage),
            self.mtls.mtls() if self.mtls else None,
            tuple(item.issuer_data() for item in self.jwt),
            tuple(item.access() for item in self.hosts),
            tuple(item.access() for item in self.workloads),
            tuple(item.entry() for item in self.ingress),
            self.egress.egress() if self.egress else None,
            tuple(item.data() for item in self.defaults),
            self.telemetry.telemetry() if self.telemetry else None,
            authority=self.authority.source() if self.authority else None,
        )
