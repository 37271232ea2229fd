"""Prometheus and Alertmanager: metrics, rules, and whom alerts reach. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sohistio.model.durations import duration_of
from sohistio.model.monitoring import REHEARSAL, UI_PORTS, Alerts, Part, Prometheus, SecretKey
from sohistio.monitoring.alerts import rehearsal_rules, rules
from sohistio.monitoring.installation import Installation
from sohistio.monitoring.objects import (
    Mount,
    Object,
    Port,
    Program,
    Resources,
    claim,
    cluster_rights,
    data_mount,
    made,
    secret_mount,
)
from sohistio.monitoring.program import program_objects
from sohistio.monitoring.scraping import (
    ALERTMANAGER,
    ALERTMANAGER_PORT,
    CONFIGURATION_FOLDER,
    REHEARSAL_FOLDER,
    RULES_FILE,
    prometheus_settings,
)

_PORT = UI_PORTS[Part.PROMETHEUS]
_NOBODY = 65534
_EMPTY_DIR = "10Gi"
# Of the volume's size; the rest is for the write-ahead log and for what is being compacted.
_SHARE_OF_BLOCKS = 0.8
_SECRETS = "/etc/alertmanager-secrets"


def prometheus_objects(installation: Installation, declared: Prometheus) -> Iterator[Object]:
    """Prometheus, with what it may ask the API server for."""
    size = declared.storage.size if declared.storage else _EMPTY_DIR
    arguments = (
        f"--config.file={CONFIGURATION_FOLDER}/prometheus.yml",
        "--storage.tsdb.path=/data",
        f"--storage.tsdb.retention.time={duration_of(declared.retention_seconds)}",
        f"--storage.tsdb.retention.size={_blocks_of(size)}",
        f"--web.external-url={installation.page(Part.PROMETHEUS)}",
        "--web.route-prefix=/prometheus",
        # A ConfigMap that changes is read without a restart (Prometheus 3, "Feature flags").
        "--enable-feature=auto-reload-config",
    )
    program = Program(
        Part.PROMETHEUS,
        ports=(Port("http", _PORT, callers=(Part.GRAFANA, Part.KIALI), gateways=True),),
        arguments=arguments,
        user=_NOBODY,
        probed=_PORT,
        ready="/prometheus/-/ready",
        alive="/prometheus/-/healthy",
        resources=Resources("200m", declared.memory, "2"),
        files={"prometheus.yml": prometheus_settings(installation), RULES_FILE: rules(installation)},
        files_at=CONFIGURATION_FOLDER,
        mounts=(
            data_mount(Part.PROMETHEUS, declared.storage, "/data", _EMPTY_DIR),
            Mount({"name": "rehearsal", "configMap": {"name": REHEARSAL.name, "optional": True}}, REHEARSAL_FOLDER),
        ),
        asks_the_api=True,
        reloads=True,
        metrics=(_PORT, "/prometheus/metrics"),
    )
    if installation.is_standby and installation.rehearsed:
        yield rehearsal_object(installation.environment, installation.rehearsed)
    if declared.storage:
        yield claim(installation, Part.PROMETHEUS, declared.storage)
    yield from _rights(installation)
    yield from program_objects(installation, program)


def rehearsal_object(environment: str, began: int) -> Object:
    """Says when the last rehearsal that proved all began, in seconds since 1970."""
    return made(environment, "v1", "ConfigMap", REHEARSAL.name) | {"data": {"rehearsal.yml": rehearsal_rules(began)}}


def alertmanager_objects(installation: Installation, declared: Alerts) -> Iterator[Object]:
    """Alertmanager: it groups alerts and sends them on."""
    keys: dict[str, dict[str, None]] = {}
    for item in declared.secrets:
        keys.setdefault(item.secret, {})[item.key] = None
    program = Program(
        Part.ALERTMANAGER,
        ports=(Port("http", ALERTMANAGER_PORT, callers=(Part.PROMETHEUS,)),),
        arguments=(
            "--config.file=/etc/alertmanager/alertmanager.yml",
            "--storage.path=/data",
            f"--web.external-url=http://{ALERTMANAGER}/",
            # One replica: nothing to gossip with.
            "--cluster.listen-address=",
        ),
        user=_NOBODY,
        probed=ALERTMANAGER_PORT,
        ready="/-/ready",
        alive="/-/healthy",
        resources=Resources("10m", "128Mi"),
        files={"alertmanager.yml": alertmanager_settings(declared)},
        files_at="/etc/alertmanager",
        mounts=(
            data_mount(Part.ALERTMANAGER, None, "/data", "256Mi"),
            # What one receiver lacks keeps no other from its alerts.
            *(
                secret_mount(f"secret-{number}", name, f"{_SECRETS}/{name}", tuple(found), optional=True)
                for number, (name, found) in enumerate(keys.items())
            ),
        ),
        metrics=(ALERTMANAGER_PORT, "/metrics"),
    )
    yield from program_objects(installation, program)


def alertmanager_settings(declared: Alerts) -> dict[str, Any]:
    """The file alertmanager.yml, as data: one receiver, which has every channel."""
    receiver: dict[str, Any] = {"name": "on-call"}
    if declared.webhook:
        receiver["webhook_configs"] = [{"url_file": _file(declared.webhook), "send_resolved": True}]
    if declared.teams:
        receiver["msteamsv2_configs"] = [{"webhook_url_file": _file(declared.teams), "send_resolved": True}]
    if mail := declared.email:
        settings: dict[str, Any] = {
            "to": ", ".join(mail.to),
            "from": mail.sender,
            "smarthost": mail.smarthost,
            "require_tls": True,
            "send_resolved": True,
        }
        if mail.password:
            settings |= {"auth_username": mail.username, "auth_password_file": _file(mail.password)}
        receiver["email_configs"] = [settings]
    return {
        "route": {
            "receiver": "on-call",
            "group_by": ["alertname", "environment"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "4h",
        },
        "receivers": [receiver],
    }


def _file(key: SecretKey) -> str:
    return f"{_SECRETS}/{key.secret}/{key.key}"


def _blocks_of(size: str) -> str:
    """How much of a volume Prometheus' blocks may take, as Prometheus writes it (MB is 2^20 bytes there)."""
    factors = {"Mi": 1, "Gi": 1024, "Ti": 1024 * 1024}
    return f"{int(int(size[:-2]) * factors[size[-2:]] * _SHARE_OF_BLOCKS)}MB"


def _rights(installation: Installation) -> Iterator[Object]:
    """What it discovers by, and the API server's metrics; nothing that is written."""
    rights = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
    ]
    yield from cluster_rights(installation, Part.PROMETHEUS, rights)
