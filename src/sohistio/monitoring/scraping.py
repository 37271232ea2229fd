"""Prometheus' own configuration: what it scrapes, which rules it evaluates, whom it tells. Pure."""

from __future__ import annotations

from typing import Any

from sohistio.model.monitoring import Part
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.monitoring.installation import Installation

ISTIOD, PROXIES, API_SERVER, APPLICATIONS = "istiod", "proxies", "kubernetes-apiservers", "applications"
"""The jobs, as metrics name them in the label `job`."""
CONFIGURATION_FOLDER = "/etc/prometheus"
REHEARSAL_FOLDER = "/etc/prometheus-rehearsal"
RULES_FILE = "rules.yml"
ALERTMANAGER_PORT = 9093
ALERTMANAGER = f"{Part.ALERTMANAGER}.{ISTIO_NAMESPACE}.svc:{ALERTMANAGER_PORT}"

_Settings = dict[str, Any]

_MOST_OF_THE_API_SERVER = 500_000
# More than any proxy of a mesh that is kept within bounds has; beyond it a scrape fails, and says so in `up`.
_LIMITS = {"sample_limit": 100_000, "body_size_limit": "64MB", "target_limit": 20_000}
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_POD = "__meta_kubernetes_pod"
# Of every proxy: Envoy's own metrics are at this port; the agent merges them with its own and the application's.
_ENVOY_PORT, _AGENT_PORT = "http-envoy-prom", 15020


def prometheus_settings(installation: Installation) -> _Settings:
    """The file prometheus.yml, as data."""
    settings: _Settings = {
        "global": {
            "scrape_interval": "15s",
            "scrape_timeout": "10s",
            "evaluation_interval": "15s",
            "external_labels": {"environment": installation.environment},
        },
        "rule_files": [f"{CONFIGURATION_FOLDER}/{RULES_FILE}", f"{REHEARSAL_FOLDER}/*.yml"],
        "scrape_configs": [_LIMITS | job for job in (_istiod(), _proxies(), _applications(), _api_server())],
    }
    if Part.ALERTMANAGER in installation.monitoring.parts:
        settings["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [ALERTMANAGER]}]}]}
    return settings


def _istiod() -> _Settings:
    return {
        "job_name": ISTIOD,
        "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [ISTIO_NAMESPACE]}}],
        "relabel_configs": [
            _keep(f"{_POD}_label_app", "istiod"),
            _keep(f"{_POD}_phase", "Running"),
            _address(f"{_POD}_ip", "(.+)", "$1:15014"),
            *_who(),
        ],
    }


def _proxies() -> _Settings:
    """Sidecars and gateways; what an injected application exposes comes with its proxy's."""
    return {
        "job_name": PROXIES,
        "metrics_path": "/stats/prometheus",
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            _keep(f"{_POD}_container_port_name", _ENVOY_PORT),
            _keep(f"{_POD}_phase", "Running"),
            _address(f"{_POD}_ip", "(.+)", f"$1:{_AGENT_PORT}"),
            *_who(),
        ],
    }


def _applications() -> _Settings:
    """Pods that say that they want to be scraped (prometheus.io/scrape), these programs included; not by their proxy's
    agent, which the job of proxies asks. Under strict mTLS an injected pod is reached through that alone.
    """
    annotation = f"{_POD}_annotation_prometheus_io"
    return {
        "job_name": APPLICATIONS,
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            _keep(f"{annotation}_scrape", "true"),
            _keep(f"{_POD}_phase", "Running"),
            # Injection and the charts write these annotations as well: the other jobs have them.
            _drop((f"{annotation}_port",), str(_AGENT_PORT)),
            _drop(("__meta_kubernetes_namespace", f"{_POD}_label_app"), f"{ISTIO_NAMESPACE};istiod"),
            {
                "action": "replace",
                "source_labels": [f"{annotation}_scheme"],
                "regex": "(https?)",
                "target_label": "__scheme__",
            },
            {
                "action": "replace",
                "source_labels": [f"{annotation}_path"],
                "regex": "(.+)",
                "target_label": "__metrics_path__",
            },
            {
                "action": "replace",
                "source_labels": [f"{_POD}_ip", f"{annotation}_port"],
                "regex": r"(.+);(\d+)",
                "replacement": "$1:$2",
                "target_label": "__address__",
            },
            *_who(),
        ],
    }


def _api_server() -> _Settings:
    """By its Service: AKS has one address for it. Prometheus' ServiceAccount has the right to read them."""
    return {
        "job_name": API_SERVER,
        "scheme": "https",
        "authorization": {"credentials_file": f"{_ACCOUNT}/token"},
        "tls_config": {"ca_file": f"{_ACCOUNT}/ca.crt"},
        "static_configs": [{"targets": ["kubernetes.default.svc:443"]}],
        "sample_limit": _MOST_OF_THE_API_SERVER,
    }


def _who() -> list[_Settings]:
    """Namespace, pod and app, by the names that Istio's dashboards use."""
    return [
        _copy(f"{_POD}_label_app_kubernetes_io_name", "app"),
        _copy(f"{_POD}_label_app", "app"),
        _copy("__meta_kubernetes_namespace", "namespace"),
        _copy(f"{_POD}_name", "pod"),
    ]


def _keep(label: str, value: str) -> _Settings:
    return {"action": "keep", "source_labels": [label], "regex": value}


def _drop(labels: tuple[str, ...], values: str) -> _Settings:
    return {"action": "drop", "source_labels": list(labels), "regex": values}


def _copy(label: str, name: str) -> _Settings:
    return {"action": "replace", "source_labels": [label], "regex": "(.+)", "target_label": name}


def _address(label: str, regex: str, replacement: str) -> _Settings:
    return {
        "action": "replace",
        "source_labels": [label],
        "regex": regex,
        "replacement": replacement,
        "target_label": "__address__",
    }
