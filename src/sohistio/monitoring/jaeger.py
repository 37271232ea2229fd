"""Jaeger 2: takes spans by OTLP alone, keeps the last traces in memory, shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from sohistio.model.monitoring import COLLECTOR, OTLP_PORT, UI_PORTS, Jaeger, Part
from sohistio.monitoring.installation import Installation
from sohistio.monitoring.objects import Object, Port, Program, Resources, made, service
from sohistio.monitoring.program import program_objects

_USER = 10001
_QUERY, _OTLP_HTTP, _HEALTH, _METRICS = UI_PORTS[Part.JAEGER], 4318, 13133, 8888
_STORE = "memory"
_TRACES_IN_A_GIB = 50_000
"""Of some ten spans each, about 20 KiB a trace."""
_EVERYWHERE = "0.0.0.0"  # noqa: S104 — in its pod, whose NetworkPolicy says who may call  # nosec B104


def jaeger_objects(installation: Installation, declared: Jaeger) -> Iterator[Object]:
    """Jaeger, and a second Service: where spans go."""
    collected = (
        Port("grpc-otlp", OTLP_PORT, everybody=True),
        Port("http-otlp", _OTLP_HTTP, everybody=True),
    )
    query = Port("http-query", _QUERY, callers=(Part.GRAFANA, Part.KIALI), gateways=True)
    program = Program(
        Part.JAEGER,
        ports=(query, *collected, Port("http-metrics", _METRICS, callers=(Part.PROMETHEUS,))),
        arguments=("--config", "/etc/jaeger/config.yaml"),
        user=_USER,
        probed=_HEALTH,
        ready="/status",
        alive="/status",
        resources=Resources("50m", f"{max(1, ceil(declared.traces / _TRACES_IN_A_GIB))}Gi"),
        files={"config.yaml": jaeger_settings(declared)},
        files_at="/etc/jaeger",
        calls=(),
        metrics=(_METRICS, "/metrics"),
    )
    for obj in program_objects(installation, program):
        yield obj | {"spec": service(Part.JAEGER, (query,))} if obj["kind"] == "Service" else obj
        if obj["kind"] == "Service":
            yield made(installation.environment, "v1", "Service", COLLECTOR, spec=service(Part.JAEGER, collected))


def jaeger_settings(declared: Jaeger) -> dict[str, Any]:
    """Its config.yaml, as data. It has no other way in than OTLP."""
    return {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query", "healthcheckv2"],
            "pipelines": {
                "traces": {"receivers": ["otlp"], "processors": ["batch"], "exporters": ["jaeger_storage_exporter"]}
            },
            "telemetry": {
                "resource": {"service.name": "jaeger"},
                "metrics": {
                    "level": "normal",
                    "readers": [{"pull": {"exporter": {"prometheus": {"host": _EVERYWHERE, "port": _METRICS}}}}],
                },
            },
        },
        "extensions": {
            "healthcheckv2": {"use_v2": True, "http": {"endpoint": _on(_HEALTH)}},
            "jaeger_query": {
                "base_path": "/jaeger",
                "storage": {"traces": _STORE},
                "http": {"endpoint": _on(_QUERY)},
            },
            "jaeger_storage": {"backends": {_STORE: {"memory": {"max_traces": declared.traces}}}},
        },
        "receivers": {
            "otlp": {"protocols": {"grpc": {"endpoint": _on(OTLP_PORT)}, "http": {"endpoint": _on(_OTLP_HTTP)}}}
        },
        "processors": {"batch": {}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": _STORE}},
    }


def _on(port: int) -> str:
    return f"{_EVERYWHERE}:{port}"
