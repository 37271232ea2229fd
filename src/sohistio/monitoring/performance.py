"""The dashboard Performance: what the mesh itself costs."""

from __future__ import annotations

from sohistio.model.dashboards import Dashboard, Panel, Query, Row, Source, Unit
from sohistio.monitoring.traffic_queries import RANGE


def performance() -> Dashboard:
    """istiod's processes and proxies: time, memory, connections."""
    return Dashboard(
        "istio-performance",
        "Istio: Performance",
        "What istiod and the proxies cost, and whether they keep up.",
        (Row("istiod", _istiod()), Row("Proxies", _proxies())),
    )


def _istiod() -> tuple[Panel, ...]:
    own = "and on (instance) pilot_info"
    return (
        Panel("CPU", Unit.CORES, (_istiods(f"rate(process_cpu_seconds_total[{RANGE}]) {own}", "{{instance}}"),)),
        Panel("Memory", Unit.BYTES, (_istiods(f"process_resident_memory_bytes {own}", "{{instance}}"),)),
        Panel("Goroutines", Unit.COUNT, (_istiods(f"go_goroutines {own}", "{{instance}}"),)),
        Panel(
            "Time to make configuration, p99",
            Unit.SECONDS,
            (
                _istiods(
                    f"histogram_quantile(0.99, sum by (le, type) (rate(pilot_xds_push_time_bucket[{RANGE}])))",
                    "{{type}}",
                ),
            ),
        ),
        Panel(
            "Waiting in the queue, p99",
            Unit.SECONDS,
            (_istiods(f"histogram_quantile(0.99, sum by (le) (rate(pilot_proxy_queue_time_bucket[{RANGE}])))", "p99"),),
        ),
        Panel(
            "What sets a push off",
            Unit.OPERATIONS,
            (_istiods(f"sum by (type) (rate(pilot_push_triggers[{RANGE}]))", "{{type}}"),),
        ),
    )


def _proxies() -> tuple[Panel, ...]:
    return (
        Panel("Proxies", Unit.COUNT, (_envoys("count(envoy_server_uptime)", "proxies"),), single=True, width=6),
        Panel("Not ready", Unit.COUNT, (_envoys("sum(envoy_server_state > bool 0)", "proxies"),), single=True, width=6),
        Panel(
            "Memory of a proxy",
            Unit.BYTES,
            (
                _envoys("quantile(0.5, envoy_server_memory_allocated)", "half use less than"),
                _envoys("max(envoy_server_memory_allocated)", "the most"),
            ),
        ),
        Panel("Connections", Unit.COUNT, (_envoys("sum(envoy_server_total_connections)", "from clients"),)),
        Panel(
            "Configuration not taken",
            Unit.OPERATIONS,
            (
                _envoys(f"sum(rate(envoy_listener_manager_lds_update_rejected[{RANGE}]))", "listeners"),
                _envoys(f"sum(rate(envoy_cluster_manager_cds_update_rejected[{RANGE}]))", "clusters"),
            ),
        ),
        Panel(
            "istiod not reached",
            Unit.OPERATIONS,
            (
                _envoys(
                    f'sum(rate(envoy_cluster_upstream_cx_connect_fail{{cluster_name="xds-grpc"}}[{RANGE}]))',
                    "failed connections",
                ),
            ),
        ),
    )


def _istiods(expression: str, legend: str) -> Query:
    return Query(expression, legend, Source.ISTIOD)


def _envoys(expression: str, legend: str) -> Query:
    return Query(expression, legend, Source.ENVOY)
