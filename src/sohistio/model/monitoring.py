"""What an environment declares to watch its mesh with. Plain data; `monitoring/` makes Kubernetes' objects of it.

What is not declared is None, and not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sohistio.model.labels import label_of
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef

MONITORING_LABEL = "sohistio/monitoring"
"""On every object made from an environment's `monitoring`, with the environment's name: nothing else is deleted."""


class Part(StrEnum):
    """A program that watches the mesh; also the name of its Deployment and Service."""

    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    GRAFANA = "grafana"
    KIALI = "kiali"
    JAEGER = "jaeger"


@dataclass(frozen=True, slots=True)
class Release:
    """Which image a part runs: `tag` of the image `published` under this name."""

    published: str
    tag: str


RELEASES: Mapping[Part, Release] = {
    Part.PROMETHEUS: Release("docker.io/prom/prometheus", "v3.10.0"),
    Part.ALERTMANAGER: Release("docker.io/prom/alertmanager", "v0.31.1"),
    Part.GRAFANA: Release("docker.io/grafana/grafana", "12.0.1"),
    Part.KIALI: Release("quay.io/kiali/kiali", "v2.27.0"),
    Part.JAEGER: Release("docker.io/jaegertracing/jaeger", "2.17.0"),
}
"""All versions, in one place. Kiali's fits Istio 1.29 to 1.31 (kiali.io, "Version Compatibility")."""

UI_PORTS: Mapping[Part, int] = {
    Part.PROMETHEUS: 9090,
    Part.GRAFANA: 3000,
    Part.KIALI: 20001,
    Part.JAEGER: 16686,
}
"""The port of each part that people look at, below the path /<part>/."""

OTLP_PORT = 4317
"""Where Jaeger takes spans: OTLP over gRPC, at the Service `COLLECTOR`."""
COLLECTOR = "jaeger-collector"

REHEARSAL = ObjectRef("ConfigMap", ISTIO_NAMESPACE, "prometheus-rehearsal")
"""When the failover to a standby was rehearsed last, as a rule that Prometheus evaluates."""
GRAFANA_ADMIN = ObjectRef("Secret", ISTIO_NAMESPACE, "grafana-admin")
KIALI_SIGNING_KEY = ObjectRef("Secret", ISTIO_NAMESPACE, "kiali-signing-key")
RANDOM_SECRETS: Mapping[ObjectRef, str] = {
    GRAFANA_ADMIN: "password",
    # The file's name is Kiali's (config.go, "override secrets"); its key has 16, 24 or 32 bytes.
    KIALI_SIGNING_KEY: "value.txt",
}
"""Secrets that are made once, with a random text at this key: what they hold is in no plan and no record."""


def monitoring_label(obj: Mapping[str, Any]) -> str | None:
    """The environment that an object's label names, None without it."""
    return label_of(obj, MONITORING_LABEL)


@dataclass(frozen=True, slots=True)
class Storage:
    """A PersistentVolumeClaim: `size` such as 50Gi; an empty class is the cluster's default."""

    size: str
    storage_class: str = ""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """`memory` is both request and limit. Without storage the data is in an emptyDir: gone with the pod."""

    retention_seconds: int = 15 * 24 * 3600
    memory: str = "2Gi"
    storage: Storage | None = None


@dataclass(frozen=True, slots=True)
class Grafana:
    """Without storage, what people make in Grafana is gone with its pod; sohistio's dashboards come back."""

    storage: Storage | None = None


@dataclass(frozen=True, slots=True)
class Kiali:
    """`view_only` keeps its wizards from writing Istio's objects."""

    view_only: bool = True


@dataclass(frozen=True, slots=True)
class Jaeger:
    """Keeps the last `traces` in memory; `sampling` is in per cent of all requests."""

    traces: int = 50_000
    sampling: float = 1.0


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key of a Secret in istio-system, which somebody else puts there."""

    secret: str
    key: str


@dataclass(frozen=True, slots=True)
class Mail:
    """Whom alerts are mailed to. `smarthost` is host:port; without `password` nobody logs in."""

    to: tuple[str, ...]
    sender: str
    smarthost: str
    username: str = ""
    password: SecretKey | None = None


@dataclass(frozen=True, slots=True)
class Alerts:
    """Where alerts go; the URLs of webhook and Teams are secrets."""

    webhook: SecretKey | None = None
    teams: SecretKey | None = None
    email: Mail | None = None

    @property
    def secrets(self) -> tuple[SecretKey, ...]:
        """What has to be in the cluster for alerts to leave it."""
        mail = self.email.password if self.email else None
        return tuple(item for item in (self.webhook, self.teams, mail) if item)


@dataclass(frozen=True, slots=True)
class Exposure:
    """At which host the ingress gateway serves /grafana/ and the others, and to whom.

    Either to who has a valid token (of policy.jwt) with these `claims`, or to callers from `addresses` (CIDR).
    """

    host: str
    credential: str
    claims: tuple[tuple[str, tuple[str, ...]], ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Monitoring:
    """All of it."""

    prometheus: Prometheus | None = None
    grafana: Grafana | None = None
    kiali: Kiali | None = None
    jaeger: Jaeger | None = None
    alerts: Alerts | None = None
    expose: Exposure | None = None
    runbooks: str = ""
    """Where docs/monitoring.md is read; empty for the file's own name."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The programs it runs, in the order in which they are applied."""
        declared = {
            Part.PROMETHEUS: self.prometheus,
            Part.ALERTMANAGER: self.alerts,
            Part.JAEGER: self.jaeger,
            Part.GRAFANA: self.grafana,
            Part.KIALI: self.kiali,
        }
        return tuple(part for part, what in declared.items() if what is not None)

    @property
    def secrets(self) -> tuple[ObjectRef, ...]:
        """The random Secrets that its parts cannot run without."""
        needed = ((self.grafana, GRAFANA_ADMIN), (self.kiali, KIALI_SIGNING_KEY))
        return tuple(ref for declared, ref in needed if declared)

    @property
    def exposed(self) -> tuple[Part, ...]:
        """Those with pages for people, where the environment exposes any."""
        return tuple(part for part in self.parts if part in UI_PORTS) if self.expose else ()
