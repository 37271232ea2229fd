"""The queries, put to a real Prometheus."""

from __future__ import annotations

import time
from pathlib import Path

from real_prometheus import Exposed, RealPrometheus
from sohistio.adapters.prometheus.client import Prometheus
from sohistio.model.traffic import Call, Peer, Traffic
from sohistio.planning.traffic import dry_runs, traffic_of

_TO = 'reporter="destination",destination_workload="ledger",destination_workload_namespace="payments"'
_FROM = (
    'source_workload="web",source_workload_namespace="shop",source_principal="spiffe://cluster.local/ns/shop/sa/web"'
)
_NOBODY = 'source_workload="unknown",source_workload_namespace="unknown",source_principal="unknown"'
_CALLED = f'{_TO},{_FROM},connection_security_policy="mutual_tls"'
_OUT = f'reporter="source",{_FROM},destination_service_name="PassthroughCluster"'
# As an Envoy of a sandbox with traffic exposes it (stage audit, `/stats/prometheus`).
_RBAC = (
    'namespace="payments",pod="ledger-1",http_conn_manager_prefix="inbound_0.0.0.0_8000",authz_dry_run_action="allow"'
)


def _exposed(count: int, *, later: bool = False) -> str:
    lines = [
        f'istio_requests_total{{{_CALLED},response_code="200"}} {count}',
        f'istio_requests_total{{{_CALLED},response_code="403"}} {count * 9}',
        f'istio_requests_total{{{_TO},{_NOBODY},connection_security_policy="none",response_code="200"}} 0',
        f'envoy_http_rbac{{{_RBAC},authz_dry_run_result="denied"}} {count}',
        f'envoy_http_rbac{{{_RBAC},authz_dry_run_result="allowed"}} {count}',
        'envoy_tcp_rbac{namespace="payments",authz_dry_run_action="allow",authz_dry_run_result="denied"} 0',
    ]
    if later:  # a series begins with its first connection
        lines += [
            f"istio_tcp_connections_opened_total{{{_OUT}}} 1",
            f'istio_tcp_connections_opened_total{{{_TO},{_NOBODY},connection_security_policy="none"}} 2',
        ]
    return "".join(f"{line}\n" for line in lines)


def test_what_grew_today_or_began_today(tmp_path: Path) -> None:
    with Exposed(_exposed(1)) as exposed, RealPrometheus(tmp_path, {"mesh": [exposed.url]}) as running:
        asked = Prometheus(running.url)
        end = time.monotonic() + 20
        while not asked.query("istio_requests_total"):
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(0.5)
        exposed.text = _exposed(6, later=True)
        while not asked.query("istio_tcp_connections_opened_total"):
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(0.5)
        traffic, refused = traffic_of(asked, {"payments"}), dry_runs(asked)
    server = Peer("payments", "ledger")
    caller = Peer("shop", "web", "cluster.local/ns/shop/sa/web")
    assert _uncounted(traffic) == Traffic(
        plaintext=(Call(Peer(), server, tcp=True),),
        calls=(Call(caller, server), Call(Peer(), server, tcp=True)),
        passthrough=(Call(Peer("shop", "web"), Peer(), tcp=True),),
    )
    assert [(item.where, item.listener) for item in refused] == [("payments/ledger-1", "inbound_0.0.0.0_8000")]
    assert traffic.calls[0].count in range(4, 9)  # Prometheus extrapolates


def _uncounted(traffic: Traffic) -> Traffic:
    def without(calls: tuple[Call, ...]) -> tuple[Call, ...]:
        return tuple(Call(call.source, call.destination, call.tcp) for call in calls)

    return Traffic(without(traffic.plaintext), without(traffic.calls), without(traffic.passthrough))
