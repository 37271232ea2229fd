"""Kiali: the mesh as a picture. People log in with a Kubernetes token, and see what that token may see. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sohistio.model.monitoring import KIALI_SIGNING_KEY, RANDOM_SECRETS, UI_PORTS, Kiali, Part
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.monitoring.installation import Installation, pages_inside
from sohistio.monitoring.objects import (
    Object,
    Port,
    Program,
    Resources,
    cluster_rights,
    scratch,
    secret_mount,
)
from sohistio.monitoring.program import program_objects

_USER = 1000
_PORT, _METRICS = UI_PORTS[Part.KIALI], 9090
_READ = ["get", "list", "watch"]
_ISTIOS = ("networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io")


def kiali_objects(installation: Installation, declared: Kiali) -> Iterator[Object]:
    """Kiali, with the rights that its helm chart calls the viewer's, less port-forwards and logs of any pod: what its
    wizards write they write with the token of whoever has logged in.
    """
    program = Program(
        Part.KIALI,
        ports=(
            Port("http", _PORT, gateways=True),
            Port("http-metrics", _METRICS, callers=(Part.PROMETHEUS,)),
        ),
        arguments=("-config", "/kiali-configuration/config.yaml"),
        user=_USER,
        probed=_PORT,
        ready="/kiali/healthz",
        alive="/kiali/healthz",
        resources=Resources("50m", "1Gi"),
        files={"config.yaml": kiali_settings(installation, declared)},
        files_at="/kiali-configuration",
        mounts=(
            scratch("tmp", "/tmp"),  # noqa: S108 — of the container  # nosec B108
            secret_mount(
                "signing-key",
                KIALI_SIGNING_KEY.name,
                "/kiali-override-secrets/login-token-signing-key",
                (RANDOM_SECRETS[KIALI_SIGNING_KEY],),
            ),
        ),
        asks_the_api=True,
        metrics=(_METRICS, "/metrics"),
    )
    yield from cluster_rights(installation, Part.KIALI, _rights())
    yield from program_objects(installation, program)


def kiali_settings(installation: Installation, declared: Kiali) -> dict[str, Any]:
    """Its config.yaml, as data."""
    jaeger = Part.JAEGER in installation.monitoring.parts
    tracing: dict[str, Any] = {"enabled": jaeger}
    if jaeger:
        tracing |= {"provider": "jaeger", "internal_url": pages_inside(Part.JAEGER), "use_grpc": False}
        if installation.host:
            tracing["external_url"] = installation.page(Part.JAEGER)
    return {
        "auth": {"strategy": "token"},
        "deployment": {
            "instance_name": Part.KIALI.value,
            "namespace": ISTIO_NAMESPACE,
            "cluster_wide_access": True,
            "view_only_mode": declared.view_only,
        },
        "external_services": {
            # It would ask istiod by port-forwards, which it lacks the right to.
            "istio": {"root_namespace": ISTIO_NAMESPACE, "istio_api_enabled": False},
            "prometheus": {"enabled": True, "url": pages_inside(Part.PROMETHEUS)},
            "grafana": {"enabled": False},
            "tracing": tracing,
        },
        # Logs of any pod are more than a picture of the mesh needs.
        "kiali_feature_flags": {"disabled_features": ["logs-tab"]},
        "server": {
            "port": _PORT,
            "web_root": "/kiali",
            "observability": {"metrics": {"enabled": True, "port": _METRICS}},
        },
    }


def _rights() -> list[dict[str, Any]]:
    core = ["configmaps", "namespaces", "pods", "replicationcontrollers", "services"]
    apps = ["daemonsets", "deployments", "replicasets", "statefulsets"]
    routes = ["gatewayclasses", "gateways", "grpcroutes", "httproutes", "referencegrants", "tcproutes", "tlsroutes"]
    return [
        {"apiGroups": [""], "resources": core, "verbs": _READ},
        {"apiGroups": ["apps"], "resources": apps, "verbs": _READ},
        {"apiGroups": ["batch"], "resources": ["cronjobs", "jobs"], "verbs": _READ},
        {"apiGroups": list(_ISTIOS), "resources": ["*"], "verbs": _READ},
        {"apiGroups": ["gateway.networking.k8s.io"], "resources": routes, "verbs": _READ},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {
            "apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["mutatingwebhookconfigurations"],
            "verbs": ["list"],
        },
    ]
