"""Grafana: data sources and dashboards provisioned, one admin, nobody anonymous. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sohistio.model.monitoring import GRAFANA_ADMIN, RANDOM_SECRETS, UI_PORTS, Grafana, Part
from sohistio.monitoring.installation import Installation, pages_inside
from sohistio.monitoring.objects import (
    Mount,
    Object,
    Port,
    Program,
    Resources,
    claim,
    data_mount,
    made,
    scratch,
    secret_mount,
)
from sohistio.monitoring.program import program_objects

_DASHBOARDS = "grafana-dashboards"
_USER = 472


def grafana_objects(installation: Installation, declared: Grafana) -> Iterator[Object]:
    """Grafana. What is provisioned comes back with every start; what people add needs storage."""
    environ = {
        "GF_SERVER_ROOT_URL": installation.page(Part.GRAFANA),
        "GF_SERVER_SERVE_FROM_SUB_PATH": "true",
        "GF_SECURITY_ADMIN_PASSWORD__FILE": f"/etc/grafana-admin/{RANDOM_SECRETS[GRAFANA_ADMIN]}",
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
        "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
        # Nothing is fetched from outside, nothing is told to it.
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_PLUGINS_PLUGIN_ADMIN_ENABLED": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        "GF_LOG_MODE": "console",
    }
    program = Program(
        Part.GRAFANA,
        ports=(Port("http", UI_PORTS[Part.GRAFANA], callers=(Part.PROMETHEUS,), gateways=True),),
        arguments=(),
        user=_USER,
        probed=UI_PORTS[Part.GRAFANA],
        # Below its sub path: what is not there is redirected.
        ready="/grafana/api/health",
        alive="/grafana/api/health",
        resources=Resources("50m", "512Mi"),
        files={"datasources.yaml": _sources(installation), "dashboards.yaml": _providers()},
        files_at="/etc/grafana/provisioning",
        placed={"datasources.yaml": "datasources/sohistio.yaml", "dashboards.yaml": "dashboards/sohistio.yaml"},
        environ=environ,
        mounts=(
            data_mount(Part.GRAFANA, declared.storage, "/var/lib/grafana", "1Gi"),
            scratch("tmp", "/tmp"),  # noqa: S108 — of the container  # nosec B108
            secret_mount("admin", GRAFANA_ADMIN.name, "/etc/grafana-admin", (RANDOM_SECRETS[GRAFANA_ADMIN],)),
            Mount({"name": "dashboards", "configMap": {"name": _DASHBOARDS}}, "/etc/grafana-dashboards"),
        ),
        calls=tuple(part for part in (Part.PROMETHEUS, Part.JAEGER) if part in installation.monitoring.parts),
        metrics=(UI_PORTS[Part.GRAFANA], "/grafana/metrics"),
    )
    if declared.storage:
        yield claim(installation, Part.GRAFANA, declared.storage)
    yield made(installation.environment, "v1", "ConfigMap", _DASHBOARDS) | {"data": dict(installation.dashboards)}
    yield from program_objects(installation, program)


def _sources(installation: Installation) -> dict[str, Any]:
    found = [_source("Prometheus", Part.PROMETHEUS, default=True)]
    if Part.JAEGER in installation.monitoring.parts:
        found.append(_source("Jaeger", Part.JAEGER))
    return {"apiVersion": 1, "datasources": found}


def _source(name: str, part: Part, *, default: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "uid": part.value,
        "type": part.value,
        "access": "proxy",
        "url": pages_inside(part),
        "isDefault": default,
        "editable": False,
    }


def _providers() -> dict[str, Any]:
    provider = {
        "name": "sohistio",
        "folder": "Istio",
        "type": "file",
        "allowUiUpdates": False,
        "options": {"path": "/etc/grafana-dashboards"},
    }
    return {"apiVersion": 1, "providers": [provider]}
