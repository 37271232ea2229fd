"""The dashboard Performance: what the mesh itself costs."""

from __future__ import annotations

from sohistio.model.dashboards import Dashboard, Panel, Row, Unit
from sohistio.monitoring.queries import RANGE, of_envoy, of_istiod


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
        Panel("CPU", Unit.CORES, (of_istiod(f"rate(process_cpu_seconds_total[{RANGE}]) {own}", "{{instance}}"),)),
        Panel("Memory", Unit.BYTES, (of_istiod(f"process_resident_memory_bytes {own}", "{{instance}}"),)),
        Panel("Goroutines", Unit.COUNT, (of_istiod(f"go_goroutines {own}", "{{instance}}"),)),
        Panel(
            "Time to make configuration, p99",
            Unit.SECONDS,
            (
                of_istiod(
                    f"histogram_quantile(0.99, sum by (le, type) (rate(pilot_xds_push_time_bucket[{RANGE}])))",
                    "{{type}}",
                ),
            ),
        ),
        Panel(
            "Waiting in the queue, p99",
            Unit.SECONDS,
            (
                of_istiod(
                    f"histogram_quantile(0.99, sum by (le) (rate(pilot_proxy_queue_time_bucket[{RANGE}])))", "p99"
                ),
            ),
        ),
        Panel(
            "What sets a push off",
            Unit.OPERATIONS,
            (of_istiod(f"sum by (type) (rate(pilot_push_triggers[{RANGE}]))", "{{type}}"),),
        ),
    )


def _proxies() -> tuple[Panel, ...]:
    return (
        Panel("Proxies", Unit.COUNT, (of_envoy("count(envoy_server_uptime)", "proxies"),), single=True, width=6),
        Panel(
            "Not ready", Unit.COUNT, (of_envoy("sum(envoy_server_state > bool 0)", "proxies"),), single=True, width=6
        ),
        Panel(
            "Memory of a proxy",
            Unit.BYTES,
            (
                of_envoy("quantile(0.5, envoy_server_memory_allocated)", "half use less than"),
                of_envoy("max(envoy_server_memory_allocated)", "the most"),
            ),
        ),
        Panel("Connections", Unit.COUNT, (of_envoy("sum(envoy_server_total_connections)", "from clients"),)),
        Panel(
            "Configuration not taken",
            Unit.OPERATIONS,
            (
                of_envoy(f"sum(rate(envoy_listener_manager_lds_update_rejected[{RANGE}]))", "listeners"),
                of_envoy(f"sum(rate(envoy_cluster_manager_cds_update_rejected[{RANGE}]))", "clusters"),
            ),
        ),
        Panel(
            "istiod not reached",
            Unit.OPERATIONS,
            (
                of_envoy(
                    f'sum(rate(envoy_cluster_upstream_cx_connect_fail{{cluster_name="xds-grpc"}}[{RANGE}]))',
                    "failed connections",
                ),
            ),
        ),
    )
