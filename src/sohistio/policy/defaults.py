"""How calls to a namespace's services behave, where the environment asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sohistio.model.policy import Policy
from sohistio.model.policy_traffic import NamespaceDefaults, RateLimit
from sohistio.policy.objects import SUPPRESS, Object, duration, made, service_host, without_empty

_NAME = "defaults"
_LOAD_BALANCING = {"leastRequest": "LEAST_REQUEST", "roundRobin": "ROUND_ROBIN", "random": "RANDOM"}
_LOCAL_RATE_LIMIT = "envoy.filters.http.local_ratelimit"
_CONFIG = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"

# istioctl's analysis finds no service behind a wildcard.
_WILDCARD = {SUPPRESS: "IST0174"}
# It says of every EnvoyFilter that another API is better; there is none for this.
_KNOWN = {SUPPRESS: "IST0133"}


def default_objects(policy: Policy) -> Iterator[Object]:
    """DestinationRules, VirtualServices and rate limits; in stage audit the limits refuse nothing."""
    for item in policy.defaults:
        if traffic := _traffic_policy(replace(item, connections=None) if policy.is_audit else item):
            host = service_host("*", item.namespace)
            rule = made("DestinationRule", item.namespace, _NAME, {"host": host, "trafficPolicy": traffic})
            rule["metadata"]["annotations"] = dict(_WILDCARD)
            yield rule
        if item.rate_limit:
            limited = made(
                "EnvoyFilter", item.namespace, "rate-limit", _rate_limit(item.rate_limit, 0 if policy.is_audit else 100)
            )
            limited["metadata"]["annotations"] = dict(_KNOWN)
            yield limited
        if item.retries or item.timeout_seconds:
            for service in item.services:
                routed = _virtual_service(item, service)
                yield made("VirtualService", item.namespace, f"{_NAME}-{service}", routed)


def _traffic_policy(item: NamespaceDefaults) -> Object:
    outlier, limits = item.outlier_detection, item.connections
    return without_empty(
        loadBalancer=without_empty(simple=_LOAD_BALANCING.get(item.load_balancing, "")),
        outlierDetection=without_empty(
            consecutive5xxErrors=outlier.consecutive_5xx,
            interval=duration(outlier.interval_seconds),
            baseEjectionTime=duration(outlier.ejection_seconds),
            maxEjectionPercent=outlier.max_ejection_percent,
        )
        if outlier
        else {},
        connectionPool=without_empty(
            tcp=without_empty(maxConnections=limits.max_connections),
            http=without_empty(
                http1MaxPendingRequests=limits.max_pending_requests,
                maxRequestsPerConnection=limits.max_requests_per_connection,
            ),
        )
        if limits
        else {},
    )


def _virtual_service(item: NamespaceDefaults, service: str) -> Object:
    host = service_host(service, item.namespace)
    retries = item.retries
    rule: dict[str, Any] = {"route": [{"destination": {"host": host}}]}
    if item.timeout_seconds:
        rule["timeout"] = duration(item.timeout_seconds)
    if retries:
        per_try = duration(retries.per_try_seconds) if retries.per_try_seconds else ""
        rule["retries"] = {"attempts": retries.attempts} | without_empty(perTryTimeout=per_try, retryOn=retries.on)
    return {"hosts": [host], "http": [rule]}


def _rate_limit(limit: RateLimit, enforced: int) -> Object:
    """`enforced` is for how many per cent of requests it holds; all are counted.

    Istio has no field for it (istio.io, "Enabling Rate Limits using Envoy", local rate limit).
    """
    config = {
        "@type": _CONFIG,
        "stat_prefix": "http_local_rate_limiter",
        "token_bucket": {
            "max_tokens": limit.requests,
            "tokens_per_fill": limit.requests,
            "fill_interval": duration(limit.per_seconds),
        },
        "filter_enabled": {"default_value": {"numerator": 100, "denominator": "HUNDRED"}},
        "filter_enforced": {"default_value": {"numerator": enforced, "denominator": "HUNDRED"}},
    }
    manager = {"filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}}
    return {
        "configPatches": [
            {
                "applyTo": "HTTP_FILTER",
                "match": {"context": "SIDECAR_INBOUND", "listener": manager},
                "patch": {
                    "operation": "INSERT_FIRST",
                    "value": {"name": _LOCAL_RATE_LIMIT, "typed_config": config},
                },
            }
        ]
    }
