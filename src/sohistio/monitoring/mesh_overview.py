"""The dashboard Mesh Overview: how all traffic does, whether istiod works, when certificates end."""

from __future__ import annotations

from sohistio.model.dashboards import Dashboard, Panel, Row, Unit
from sohistio.monitoring.queries import RANGE, latencies, of_envoy, of_istiod, rate, success

_SEEN = 'reporter=~"source|waypoint"'
_GATEWAYS = f'{_SEEN},source_workload=~"istio-ingressgateway|istio-egressgateway"'


def mesh_overview() -> Dashboard:
    """What an on-call opens first."""
    return Dashboard(
        "istio-mesh-overview",
        "Istio: Mesh Overview",
        "All traffic of the mesh, its control plane and its certificates.",
        (
            Row("Traffic", _traffic()),
            Row("Gateways", _gateways()),
            Row("Control plane", _control_plane()),
            Row("Certificates", _certificates()),
        ),
    )


def _traffic() -> tuple[Panel, ...]:
    return (
        Panel("Requests", Unit.REQUESTS, (rate(_SEEN, "requests"),), single=True, width=6),
        Panel("Success rate", Unit.PERCENT, (success(_SEEN, "not 5xx"),), single=True, width=6),
        Panel("Requests by status", Unit.REQUESTS, (rate(_SEEN, "{{response_code}}", "response_code"),)),
        Panel("Latency", Unit.MILLISECONDS, latencies(_SEEN)),
        Panel(
            "Requests refused by a policy",
            Unit.REQUESTS,
            (rate(f'{_SEEN},response_code=~"401|403"', "{{destination_service}}", "destination_service"),),
            description="401: a token that is not valid. 403: no rule lets the caller in.",
        ),
    )


def _gateways() -> tuple[Panel, ...]:
    by = "source_workload"
    return (
        Panel("Requests by gateway", Unit.REQUESTS, (rate(_GATEWAYS, "{{source_workload}}", by),)),
        Panel("Success rate by gateway", Unit.PERCENT, (success(_GATEWAYS, "{{source_workload}}", by),)),
    )


def _control_plane() -> tuple[Panel, ...]:
    return (
        Panel("istiods", Unit.COUNT, (of_istiod("sum(pilot_info)", "istiods"),), single=True, width=6),
        Panel("Proxies connected", Unit.COUNT, (of_istiod("sum(pilot_xds)", "proxies"),), single=True, width=6),
        Panel(
            "Configuration pushed",
            Unit.OPERATIONS,
            (of_istiod(f"sum by (type) (rate(pilot_xds_pushes[{RANGE}]))", "{{type}}"),),
        ),
        Panel(
            "Until proxies have a change",
            Unit.SECONDS,
            tuple(
                of_istiod(
                    f"histogram_quantile({quantile}, sum by (le) (rate(pilot_proxy_convergence_time_bucket[{RANGE}])))",
                    f"p{quantile * 100:.0f}",
                )
                for quantile in (0.5, 0.99)
            ),
        ),
        Panel(
            "Rejected",
            Unit.COUNT,
            (
                of_istiod("sum(pilot_total_xds_rejects) or vector(0)", "by proxies"),
                of_istiod("sum(galley_validation_failed) or vector(0)", "by the webhook"),
            ),
            description="Configuration that proxies do not take, and objects that istiod's webhook refuses.",
        ),
        Panel(
            "Injection",
            Unit.OPERATIONS,
            (
                of_istiod(f"sum(rate(sidecar_injection_success_total[{RANGE}])) or vector(0)", "injected"),
                of_istiod(f"sum(rate(sidecar_injection_failure_total[{RANGE}])) or vector(0)", "failed"),
            ),
        ),
    )


def _certificates() -> tuple[Panel, ...]:
    day = 24 * 3600
    return (
        Panel(
            "The CA's root ends in",
            Unit.DAYS,
            (of_istiod(f"min(citadel_server_root_cert_expiry_timestamp - time()) / {day}", "days"),),
            single=True,
        ),
        Panel(
            "The first workload's certificate ends in",
            Unit.SECONDS,
            (of_envoy("min(istio_agent_cert_expiry_seconds)", "seconds"),),
            single=True,
            description="They live for a day and are renewed at half of it: less than half a day is worth a look.",
        ),
        Panel(
            "Certificates issued",
            Unit.OPERATIONS,
            (
                of_istiod(f"sum(rate(citadel_server_success_cert_issuance_count[{RANGE}]))", "issued"),
                of_istiod(
                    f"sum(rate(citadel_server_authentication_failure_count[{RANGE}])) or vector(0)", "not authenticated"
                ),
            ),
        ),
    )
