"""Kubernetes' objects of one program: a Deployment that runs as nobody in particular, Service, firewall. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from sohistio.monitoring.installation import Installation
from sohistio.monitoring.network_policy import network_policy
from sohistio.monitoring.objects import CONFIGURATION, NAME, Mount, Object, Program, made, service


def program_objects(installation: Installation, program: Program) -> Iterator[Object]:
    """All of it but what it may ask the API server for, in the order in which they are applied."""
    name = program.part.value
    yield made(installation.environment, "v1", "ServiceAccount", name) | {"automountServiceAccountToken": False}
    if program.files:
        yield made(installation.environment, "v1", "ConfigMap", name) | {"data": dict(program.files)}
    yield network_policy(installation, program)
    yield made(installation.environment, "v1", "Service", name, spec=service(program.part, program.ports))
    yield _deployment(installation, program)


def _deployment(installation: Installation, program: Program) -> Object:
    name = program.part.value
    mounts = list(program.mounts)
    if program.files:
        volume: Object = {"name": name}
        if program.placed:
            volume["items"] = [{"key": key, "path": path} for key, path in program.placed.items()]
        mounts.append(Mount({"name": CONFIGURATION, "configMap": volume}, program.files_at))
    annotations: dict[str, str] = {}
    if not program.reloads:
        text = json.dumps(program.files, sort_keys=True)
        annotations["sohistio/configuration"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    if program.metrics:
        port, path = program.metrics
        annotations |= {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": str(port),
            "prometheus.io/path": path,
        }
    pod: Object = {
        "serviceAccountName": name,
        "automountServiceAccountToken": program.asks_the_api,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": program.user,
            "runAsGroup": program.user,
            "fsGroup": program.user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(installation, program, mounts)],
        "volumes": [dict(mount.volume) for mount in mounts],
    }
    if installation.pull_secret:
        pod["imagePullSecrets"] = [{"name": installation.pull_secret}]
    labels = {NAME: name, "app": name, "sidecar.istio.io/inject": "false"}
    spec = {
        "replicas": 1,
        # Two at once would write to one disk.
        "strategy": {"type": "Recreate"},
        "selector": {"matchLabels": {NAME: name}},
        "template": {"metadata": {"labels": labels, "annotations": annotations}, "spec": pod},
    }
    return made(installation.environment, "apps/v1", "Deployment", name, spec)


def _container(installation: Installation, program: Program, mounts: Sequence[Mount]) -> Object:
    resources = program.resources
    environ = [{"name": name, "value": value} for name, value in sorted(program.environ.items())]
    return {
        "name": program.part.value,
        "image": installation.images[program.part],
        **({"args": list(program.arguments)} if program.arguments else {}),
        **({"env": environ} if environ else {}),
        "ports": [{"name": port.name, "containerPort": port.number, "protocol": "TCP"} for port in program.ports],
        "readinessProbe": {"httpGet": {"path": program.ready, "port": program.probed}, "periodSeconds": 10},
        "livenessProbe": {
            "httpGet": {"path": program.alive, "port": program.probed},
            "initialDelaySeconds": 60,
            "periodSeconds": 15,
            "failureThreshold": 6,
        },
        "resources": {
            "requests": {"cpu": resources.cpu, "memory": resources.memory},
            "limits": {"cpu": resources.most_cpu, "memory": resources.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": mount.volume["name"], "mountPath": mount.path} | ({"readOnly": True} if mount.read_only else {})
            for mount in mounts
        ],
    }
