"""A dashboard as plain data: what it shows, and the queries behind it. What Grafana makes of it is an adapter's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DATA_SOURCE = "datasource"
"""The variable with the Prometheus that a person chooses."""


class Unit(StrEnum):
    """Grafana's names of units."""

    REQUESTS = "reqps"
    OPERATIONS = "ops"
    PERCENT = "percentunit"
    SECONDS = "s"
    MILLISECONDS = "ms"
    BYTES = "bytes"
    BYTES_A_SECOND = "Bps"
    CORES = "none"
    COUNT = "short"
    DAYS = "d"


class Source(StrEnum):
    """Whose metrics a query is over: what has to be scraped for it to have data."""

    ISTIOD = "istiod"
    ENVOY = "envoy"
    ISTIO_METRICS = "istio-metrics"
    """Istio's standard metrics, which proxies have with Istio's own build of Envoy."""


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and the name of each line; `{{label}}` stands for a label's value."""

    expression: str
    legend: str
    source: Source


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph. `single` is a number in place of lines over time; `width` is of 24 columns."""

    title: str
    unit: Unit
    queries: tuple[Query, ...]
    single: bool = False
    width: int = 12
    description: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """What a person chooses above the panels: the values of a label of a metric."""

    name: str
    label: str
    query: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`uid` is also the name of its file, and stays: links lead to it."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in order."""
        return tuple(panel for row in self.rows for panel in row.panels)

    @property
    def queries(self) -> tuple[Query, ...]:
        """All queries, in order."""
        return tuple(query for panel in self.panels for query in panel.queries)
