"""Queries: over Istio's standard metrics, for any selection of requests (istio.io, "Istio Standard Metrics"), and over
the mesh's own parts. Pure.
"""

from __future__ import annotations

from sohistio.model.dashboards import Query, Source

RANGE = "$__rate_interval"
"""Grafana's own: at least four scrapes."""


def rate(selector: str, legend: str, by: str = "") -> Query:
    """Requests a second."""
    return _over(f"{_sum(by)}(rate(istio_requests_total{{{selector}}}[{RANGE}]))", legend)


def success(selector: str, legend: str, by: str = "") -> Query:
    """The share of requests that no server error answered, from 0 to 1."""
    good = f'{_sum(by)}(rate(istio_requests_total{{{selector},response_code!~"5.."}}[{RANGE}]))'
    every = f"{_sum(by)}(rate(istio_requests_total{{{selector}}}[{RANGE}]))"
    return _over(f"{good} / {every}", legend)


def latency(selector: str, quantile: float, legend: str, by: str = "") -> Query:
    """How long the slowest of so many take, in milliseconds."""
    labels = ", ".join(filter(None, ("le", by)))
    buckets = f"rate(istio_request_duration_milliseconds_bucket{{{selector}}}[{RANGE}])"
    return _over(f"histogram_quantile({quantile}, sum by ({labels}) ({buckets}))", legend)


def latencies(selector: str) -> tuple[Query, ...]:
    """Half of the requests, most, and nearly all."""
    return tuple(latency(selector, quantile, f"p{quantile:.0%}".rstrip("%")) for quantile in (0.5, 0.9, 0.99))


def transferred(metric: str, selector: str, legend: str, by: str = "") -> Query:
    """Bytes a second of TCP connections, `istio_tcp_sent_bytes_total` or `…received…`."""
    return _over(f"{_sum(by)}(rate({metric}{{{selector}}}[{RANGE}]))", legend)


def _sum(by: str) -> str:
    return f"sum by ({by}) " if by else "sum"


def _over(expression: str, legend: str) -> Query:
    return Query(expression, legend, Source.ISTIO_METRICS)


def of_istiod(expression: str, legend: str) -> Query:
    """Over istiod's own metrics."""
    return Query(expression, legend, Source.ISTIOD)


def of_envoy(expression: str, legend: str) -> Query:
    """Over a proxy's and its agent's own metrics."""
    return Query(expression, legend, Source.ENVOY)
