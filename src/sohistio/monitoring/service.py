"""The dashboards Service and Workload: how one of them does, seen from its callers and from itself."""

from __future__ import annotations

from sohistio.model.dashboards import Dashboard, Panel, Row, Unit, Variable
from sohistio.monitoring.queries import latencies, latency, rate, success, transferred

_SENT, _RECEIVED = "istio_tcp_sent_bytes_total", "istio_tcp_received_bytes_total"


def service() -> Dashboard:
    """One Service: its callers, and its workloads."""
    by_clients = 'reporter=~"source|waypoint",destination_service=~"$service"'
    by_itself = 'reporter=~"destination|waypoint",destination_service=~"$service"'
    return Dashboard(
        "istio-service",
        "Istio: Service",
        "One Service: seen by its callers, and by its own workloads.",
        (
            Row("Seen by its callers", _seen(by_clients, "source_workload")),
            Row("Seen by itself", _seen(by_itself, "destination_workload")),
            Row("TCP", _tcp(by_clients)),
        ),
        (Variable("service", "Service", "label_values(istio_requests_total, destination_service)"),),
    )


def workload() -> Dashboard:
    """One workload: what comes in, and what it calls."""
    here = 'destination_workload_namespace=~"$namespace",destination_workload=~"$workload"'
    here = f'reporter=~"destination|waypoint",{here}'
    calls = 'reporter=~"source|waypoint",source_workload_namespace=~"$namespace",source_workload=~"$workload"'
    in_namespace = 'istio_requests_total{destination_workload_namespace=~"$namespace"}'
    return Dashboard(
        "istio-workload",
        "Istio: Workload",
        "One workload: the requests it answers, and those it makes.",
        (
            Row("What it answers", _seen(here, "source_workload")),
            Row("What it calls", _seen(calls, "destination_service")),
            Row("TCP", _tcp(calls)),
        ),
        (
            Variable("namespace", "Namespace", "label_values(istio_requests_total, destination_workload_namespace)"),
            Variable("workload", "Workload", f"label_values({in_namespace}, destination_workload)"),
        ),
    )


def _seen(selector: str, by: str) -> tuple[Panel, ...]:
    legend = f"{{{{{by}}}}}"
    return (
        Panel("Requests", Unit.REQUESTS, (rate(selector, "requests"),), single=True, width=6),
        Panel("Success rate", Unit.PERCENT, (success(selector, "not 5xx"),), single=True, width=6),
        Panel("Latency", Unit.MILLISECONDS, latencies(selector)),
        Panel("Requests by status", Unit.REQUESTS, (rate(selector, "{{response_code}}", "response_code"),), width=8),
        Panel("Requests by the other side", Unit.REQUESTS, (rate(selector, legend, by),), width=8),
        Panel("Latency p99 by the other side", Unit.MILLISECONDS, (latency(selector, 0.99, legend, by),), width=8),
        Panel(
            "Requests without mTLS",
            Unit.REQUESTS,
            (rate(f'{selector},connection_security_policy!="mutual_tls"', legend, by),),
            description="Only the side that answers knows: seen by its callers it is not known.",
        ),
    )


def _tcp(selector: str) -> tuple[Panel, ...]:
    return (
        Panel(
            "Bytes",
            Unit.BYTES_A_SECOND,
            (transferred(_SENT, selector, "sent"), transferred(_RECEIVED, selector, "received")),
        ),
    )
