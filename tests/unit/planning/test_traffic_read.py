"""What is asked of Prometheus, and what becomes of its answers."""

from __future__ import annotations

from prometheus_server import PrometheusServer, Series
from sohistio.adapters.prometheus.client import Prometheus
from sohistio.model.traffic import Call, DryRun, Peer, Traffic
from sohistio.planning.traffic import dry_runs, traffic_of

_TO = {"destination_workload_namespace": "payments", "destination_workload": "ledger"}
_FROM = {"source_workload_namespace": "shop", "source_workload": "web"}
_PRINCIPAL = {"source_principal": "spiffe://cluster.local/ns/shop/sa/web"}
_UNKNOWN = {"source_workload_namespace": "unknown", "source_workload": "unknown"}


def _answers(query: str) -> list[Series]:
    requests = "istio_requests_total" in query
    if 'connection_security_policy="none"' in query:
        return [(_UNKNOWN | _TO, 3.4)] if requests else []
    if "PassthroughCluster" in query:
        return [(_FROM, 0.2)]
    if 'destination_workload_namespace=~"media|payments"' in query:
        return [(_FROM | _PRINCIPAL | _TO, 12)] if requests else []
    raise AssertionError(query)


def test_traffic_of_the_last_day() -> None:
    server, web = Peer("payments", "ledger"), Peer("shop", "web")
    caller = Peer("shop", "web", "cluster.local/ns/shop/sa/web")
    with PrometheusServer(_answers) as prometheus:
        found = traffic_of(Prometheus(prometheus.url), {"payments", "media"})
        assert found == Traffic(
            plaintext=(Call(Peer(), server, count=3),),
            calls=(Call(caller, server, count=12),),
            passthrough=(Call(web, Peer(), count=1), Call(web, Peer(), tcp=True, count=1)),
        )
        assert all("[1d]" in query and query.startswith("sum by (") for query in prometheus.asked)
        prometheus.asked.clear()
        assert traffic_of(Prometheus(prometheus.url)).calls == ()
        assert len(prometheus.asked) == 4


def test_dry_runs_by_pod_and_listener() -> None:
    """The series are as an Envoy of the sandbox gave them, and as istio.io shows those of older proxies."""
    series: list[Series] = [
        ({"namespace": "payments", "pod": "ledger-1", "http_conn_manager_prefix": "inbound_0.0.0.0_8000"}, 3),
        ({"pod": "tcp-1"}, 2),
    ]
    old: list[Series] = [({"kubernetes_namespace": "foo", "metric": "envoy_http_inbound_0_0_0_0_80_rbac"}, 1)]
    with PrometheusServer(lambda query: old if "label_replace" in query else series) as prometheus:
        found = dry_runs(Prometheus(prometheus.url))
        query = prometheus.asked[0]
    assert found == (
        DryRun("foo", "envoy_http_inbound_0_0_0_0_80_rbac", 1),
        DryRun("payments/ledger-1", "inbound_0.0.0.0_8000", 3),
        DryRun("tcp-1", "", 2),
    )
    assert 'authz_dry_run_action="allow",authz_dry_run_result="denied"' in query
