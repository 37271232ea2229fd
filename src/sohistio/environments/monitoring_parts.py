"""Keys of `monitoring` about the programs that sohistio runs, each with what it keeps."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from sohistio.environments.values import Part, Seconds, matching
from sohistio.model import monitoring as plain

_SHORTEST_RETENTION = 2 * 3600  # one block of Prometheus' database


def _retention(value: int) -> int:
    if value < _SHORTEST_RETENTION:
        raise ValueError("expected 2h at least, such as 360h")
    return value


_size = matching(r"[1-9][0-9]{0,3}(Gi|Ti)", "a size such as 50Gi")
_memory = matching(r"([1-9][0-9]{0,3}Gi|[5-9][0-9]{2}Mi)", "memory of 500Mi at least, such as 2Gi")
_class = matching(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", "the name of a StorageClass, such as managed-csi")
Size = Annotated[str, AfterValidator(_size)]
Memory = Annotated[str, AfterValidator(_memory)]
StorageClass = Annotated[str, AfterValidator(_class)]


class StorageKeys(Part):
    """A disk of its own. Without it the data is in an emptyDir: gone with the pod."""

    size: Size = Field(description="Such as 50Gi; it can grow later where the class allows it, never shrink")
    storage_class: StorageClass | None = Field(None, description="Without it the cluster's default class")

    def data(self) -> plain.Storage:
        """The same as plain data."""
        return plain.Storage(self.size, self.storage_class or "")


def _storage(keys: StorageKeys | None) -> plain.Storage | None:
    return keys.data() if keys else None


class PrometheusKeys(Part):
    """Prometheus, with alerting rules."""

    retention: Annotated[Seconds, AfterValidator(_retention)] = Field(
        15 * 24 * 3600, description="How long metrics are kept, such as 360h"
    )
    memory: Memory = Field("2Gi", description="Request and limit; a mesh of many pods needs more")
    storage: StorageKeys | None = None

    def data(self) -> plain.Prometheus:
        """The same as plain data."""
        return plain.Prometheus(self.retention, self.memory, _storage(self.storage))


class GrafanaKeys(Part):
    """Grafana, with sohistio's dashboards. Its admin's password is in Secret grafana-admin."""

    storage: StorageKeys | None = None

    def data(self) -> plain.Grafana:
        """The same as plain data."""
        return plain.Grafana(_storage(self.storage))


class KialiKeys(Part):
    """Kiali. People log in with a token of their own ServiceAccount."""

    view_only: bool = Field(True, description="Whether its wizards are kept from writing Istio's objects")

    def data(self) -> plain.Kiali:
        """The same as plain data."""
        return plain.Kiali(self.view_only)


class JaegerKeys(Part):
    """Jaeger 2, in memory, by OTLP."""

    traces: Annotated[int, Field(ge=100, le=1_000_000)] = Field(50_000, description="How many traces are kept")
    sampling: Annotated[float, Field(strict=False, ge=0, le=100)] = Field(1.0, description="Per cent of all requests")

    def data(self) -> plain.Jaeger:
        """The same as plain data."""
        return plain.Jaeger(self.traces, self.sampling)
