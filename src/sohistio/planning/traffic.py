"""Reads from Prometheus what traffic there was, where an environment names one (monitoring.prometheusURL)."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from sohistio.adapters.prometheus.client import TOKEN_VARIABLE, Prometheus, Sample
from sohistio.environments.load import Environment
from sohistio.model.health import ServedRequests
from sohistio.model.traffic import Call, DryRun, Peer, Traffic
from sohistio.system.parallel import side_by_side

WINDOW = "1d"
_REQUESTS, _CONNECTIONS = "istio_requests_total", "istio_tcp_connections_opened_total"
_SOURCE = ("source_workload_namespace", "source_workload", "source_principal")
_DESTINATION = ("destination_workload_namespace", "destination_workload")
# Who a pod is in a scrape configuration: Istio's own samples, and those of the Prometheus operator and of Azure.
_NAMESPACES = ("namespace", "kubernetes_namespace")
_PODS = ("pod", "pod_name", "kubernetes_pod_name", "instance")
# Envoy's counters of shadow rules, with the labels that Istio's bootstrap takes out of their names. Current proxies
# name the listener in a label; older ones left it in the metric's name (istio.io, "Dry Run").
_LISTENER = "http_conn_manager_prefix"
_REFUSED = 'authz_dry_run_action="allow",authz_dry_run_result="denied"'
_DRY_RUN = f'{{__name__=~"envoy_(http|tcp)_rbac",{_REFUSED}}}'
_OLD_DRY_RUN = f'{{__name__=~"envoy_(http|tcp)_.+_rbac",{_REFUSED}}}'


def prometheus_of(environment: Environment) -> Prometheus | None:
    """The one to ask, None where the environment names none. Raises RefusedError for a token that cannot be sent."""
    url = environment.monitoring.prometheus_url if environment.monitoring else None
    return Prometheus(url, os.environ.get(TOKEN_VARIABLE, "")) if url else None


def traffic_of(prometheus: Prometheus, closed: Collection[str] = ()) -> Traffic:
    """The last day's; calls with identities are those to the namespaces `closed`. Raises RefusedError."""
    names = "|".join(sorted(closed))
    # What is refused today already is no loss.
    called = f'reporter="destination",destination_workload_namespace=~"{names}",response_code!="403"'
    plaintext = 'reporter="destination",connection_security_policy="none"'
    passthrough = 'reporter="source",destination_service_name="PassthroughCluster"'
    asked = {
        "plaintext": (plaintext, (*_SOURCE[:2], *_DESTINATION)),
        "calls": (called, (*_SOURCE, *_DESTINATION)),
        "passthrough": (passthrough, _SOURCE[:2]),
    }
    queries = [(name, metric) for name in asked for metric in (_REQUESTS, _CONNECTIONS) if name != "calls" or closed]
    found = side_by_side(lambda query: _calls(prometheus, query[1], *asked[query[0]]), queries)
    answers = list(zip(queries, found, strict=True))
    return Traffic(
        **{name: tuple(call for (of, _), calls in answers if of == name for call in calls) for name in asked}
    )


def served_requests(prometheus: Prometheus, environment: Environment) -> ServedRequests | None:
    """How the requests through an environment's ingress gateways ended in the last minute; None where there were none.

    Raises RefusedError.
    """
    names = "|".join(gateway.name for gateway in environment.gateways if gateway.kind == "ingress")
    of_them = f'reporter="source",source_workload=~"{names}"'
    every, bad = (
        sum(sample.value for sample in prometheus.query(f"sum(rate({_REQUESTS}{{{matching}}}[1m]))"))
        for matching in (of_them, f'{of_them},response_code=~"5.."')
    )
    return ServedRequests(every, bad / every) if every > 0 else None


def dry_runs(prometheus: Prometheus) -> tuple[DryRun, ...]:
    """What policies in dry run would have refused in the last day. Raises RefusedError."""
    by = ",".join((*_NAMESPACES, *_PODS, _LISTENER, "metric"))
    # `increase` drops the metric's name: two listeners of an older proxy would look the same.
    named = f'label_replace({_OLD_DRY_RUN},"metric","$1","__name__","(.+)")'
    grown = (f"increase({_DRY_RUN}[{WINDOW}])", f"increase({named}[{WINDOW}:1m])")
    answers = side_by_side(lambda series: prometheus.query(f"sum by ({by}) ({series}) > 0"), grown)
    return tuple(sorted(_dry_run(sample) for found in answers for sample in found))


def _calls(prometheus: Prometheus, metric: str, matching: str, by: Collection[str]) -> list[Call]:
    series = f"{metric}{{{matching}}}"
    # A series that began today begins at its first request, which `increase` does not count.
    grown = f"increase({series}[{WINDOW}]) > 0 or {series} unless {series} offset {WINDOW}"
    samples = prometheus.query(f"sum by ({','.join(by)}) ({grown}) > 0")
    return [_call(sample, tcp=metric == _CONNECTIONS) for sample in samples]


def _call(sample: Sample, *, tcp: bool) -> Call:
    source = Peer.of(*(sample.labels.get(name, "") for name in _SOURCE))
    destination = Peer.of(*(sample.labels.get(name, "") for name in _DESTINATION))
    return Call(source, destination, tcp, _count(sample))


def _dry_run(sample: Sample) -> DryRun:
    names = (_first(sample.labels, _NAMESPACES), _first(sample.labels, _PODS))
    return DryRun("/".join(filter(None, names)), _first(sample.labels, (_LISTENER, "metric")), _count(sample))


def _first(labels: Mapping[str, str], names: Collection[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _count(sample: Sample) -> int:
    """Prometheus extrapolates: there are no parts of a request."""
    return max(1, round(sample.value))
