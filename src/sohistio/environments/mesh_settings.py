"""What of a policy stands in the mesh's configuration: a part of the IstioOperator, laid over the environment's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sohistio.model.policy import ACCESS_LOG_PROVIDER, TRACING_PROVIDER, Mtls, Policy, Telemetry, TlsVersion

_TLS = {TlsVersion.V1_2: "TLSV1_2", TlsVersion.V1_3: "TLSV1_3"}
# The names are those of Istio's default format; response_code_details names the policy that refused a request.
_LOGGED = {
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ:ORIG_OR_PATH)%",  # a query may hold secrets
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "authority": "%REQ(:AUTHORITY)%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "downstream_peer": "%DOWNSTREAM_PEER_URI_SAN%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_host": "%UPSTREAM_HOST%",
    "route_name": "%ROUTE_NAME%",
    # What policies in stage audit would have done (istio.io, "Dry Run").
    "dry_run_result": "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_allow_shadow_engine_result)%",
    "dry_run_policy": "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_allow_shadow_effective_policy_id)%",
}
# Off by default; they count what a dry run would have refused (istio.io, "Dry Run", metrics).
_DRY_RUN_METRICS = ".*rbac.*"
# istiod itself fetches the keys: never from its own machine, nor from the cloud's metadata service (IST0175).
_NO_ISSUERS = "127.0.0.0/8,169.254.0.0/16"
PLACES: Mapping[tuple[str, ...], str] = {
    ("meshConfig", "meshMTLS"): "policy.mtls",
    ("meshConfig", "tlsDefaults"): "policy.mtls",
    ("meshConfig", "outboundTrafficPolicy"): "policy.egress.mode",
    ("meshConfig", "pathNormalization"): "the paths in rules of policy",
    ("meshConfig", "defaultConfig", "proxyMetadata", "SECRET_TTL"): "policy.mtls.workloadCertificates",
    ("meshConfig", "defaultConfig", "proxyStatsMatcher", "inclusionRegexps"): "policy.stage",
    ("meshConfig", "extensionProviders"): "policy.telemetry or monitoring.jaeger",
    ("values", "global", "proxy", "logLevel"): "policy.telemetry.proxyLogLevel",
    ("values", "pilot", "env", "BLOCKED_CIDRS_IN_JWKS_URIS"): "policy.jwt",
}
"""The parts of an IstioOperator's spec that a policy may set, each with the key that decides it."""


def mesh_settings(policy: Policy) -> dict[str, Any]:
    """The part of an IstioOperator; empty where the policy sets nothing there.

    In stage audit nothing of it refuses anything.
    """
    mesh: dict[str, Any] = {}
    proxies: dict[str, Any] = {}
    if policy.mtls and not policy.is_audit:
        mesh |= _tls(policy.mtls)
        proxies["proxyMetadata"] = {"SECRET_TTL": _go_duration(policy.mtls.certificate_seconds)}
    if policy.names_paths and not policy.is_audit:
        # What is compared is what a service decodes: `/api/..%2fsecret` is no path below /api (istio.io, "Understanding
        # Traffic Normalization").
        mesh["pathNormalization"] = {"normalization": "DECODE_AND_MERGE_SLASHES"}
    if policy.egress and not policy.is_audit:
        mesh["outboundTrafficPolicy"] = {"mode": "REGISTRY_ONLY" if policy.registry_only else "ALLOW_ANY"}
    if policy.is_audit and (policy.hosts or policy.workloads or policy.egress):
        proxies["proxyStatsMatcher"] = {"inclusionRegexps": [_DRY_RUN_METRICS]}
    if policy.telemetry and (providers := _providers(policy.telemetry)):
        mesh["extensionProviders"] = providers
    if proxies:
        mesh["defaultConfig"] = proxies
    spec: dict[str, Any] = {"meshConfig": mesh} if mesh else {}
    values: dict[str, Any] = {}
    if policy.telemetry and policy.telemetry.proxy_log_level:
        values["global"] = {"proxy": {"logLevel": policy.telemetry.proxy_log_level}}
    if policy.jwt and not policy.is_audit:
        values["pilot"] = {"env": {"BLOCKED_CIDRS_IN_JWKS_URIS": _NO_ISSUERS}}
    if values:
        spec["values"] = values
    return {"spec": spec} if spec else {}


def lost_settings(policy: Policy, operator: Mapping[str, Any]) -> tuple[str, ...]:
    """What the policy sets in the mesh's configuration and this IstioOperator has otherwise, or not at all."""
    wanted = mesh_settings(policy)
    places = [("spec", *place) for place in PLACES]
    return tuple(".".join(place[1:]) for place in places if at(wanted, place) not in (None, at(operator, place)))


def at(settings: Any, place: Sequence[str]) -> Any:
    """What a part of an IstioOperator has at a place; None where it has nothing there."""
    for key in place:
        settings = settings.get(key) if isinstance(settings, Mapping) else None
    return settings


def has(settings: dict[str, Any], place: Sequence[str]) -> bool:
    """Whether a part of an IstioOperator sets something at a place."""
    return at(settings, place) is not None


def _go_duration(seconds: int) -> str:
    """As Go prints it, such as 24h0m0s."""
    return f"{seconds // 3600}h{seconds % 3600 // 60}m{seconds % 60}s"


def _tls(mtls: Mtls) -> dict[str, Any]:
    settings: dict[str, Any] = {"minProtocolVersion": _TLS[mtls.min_tls]}
    if mtls.cipher_suites:
        settings["cipherSuites"] = list(mtls.cipher_suites)
    return {"meshMTLS": settings, "tlsDefaults": dict(settings)}


def _providers(telemetry: Telemetry) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if telemetry.access_log:
        log = {"path": "/dev/stdout", "logFormat": {"labels": _LOGGED}}
        found.append({"name": ACCESS_LOG_PROVIDER, "envoyFileAccessLog": log})
    if tracing := telemetry.tracing:
        host = tracing.service if tracing.service.count(".") > 1 else f"{tracing.service}.svc.cluster.local"
        found.append({"name": TRACING_PROVIDER, "opentelemetry": {"service": host, "port": tracing.port}})
    return found
