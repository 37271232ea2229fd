"""Kubernetes' objects of one program: a Deployment that runs as nobody in particular, its Service, its firewall."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sohistio.model.monitoring import MONITORING_LABEL, Part, Storage
from sohistio.model.policy import GatewayPlace
from sohistio.model.pull_secrets import MANAGED_BY, SOHISTIO
from sohistio.monitoring.installation import NAMESPACE, Installation

Object = dict[str, Any]

NAME = "app.kubernetes.io/name"
CONFIGURATION = "configuration"
"""The volume of a program's ConfigMap."""
DATA = "data"
"""The volume that a program keeps its data in."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the program. `callers` are the parts that call it, `gateways` whether an exposing gateway does, and
    `everybody` whether every pod of the cluster does.
    """

    name: str
    number: int
    callers: tuple[Part, ...] = ()
    gateways: bool = False
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """A volume, as Kubernetes has it, and where the container finds it."""

    volume: Mapping[str, Any]
    path: str
    read_only: bool = True


@dataclass(frozen=True, slots=True)
class Resources:
    """What the container asks for; `memory` is the limit, too."""

    cpu: str
    memory: str
    most_cpu: str = "1"


@dataclass(frozen=True, slots=True)
class Program:
    """One part. `files` are those of its ConfigMap, by name: text, or what becomes YAML; `placed` says where below
    `files_at` one is found, if not by its name. `user` is its image's own.

    `ready` and `alive` are paths at `probed`. `calls` are the parts it calls; None where it may call anything, such as
    the API server. `metrics` are the port and the path that Prometheus scrapes. One that
    does not `reload` its files is restarted when they change.
    """

    part: Part
    ports: tuple[Port, ...]
    arguments: tuple[str, ...]
    user: int
    probed: int
    ready: str
    alive: str
    resources: Resources
    files: Mapping[str, Any] = field(default_factory=dict)
    files_at: str = ""
    placed: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    calls: tuple[Part, ...] | None = None
    asks_the_api: bool = False
    metrics: tuple[int, str] | None = None
    reloads: bool = False


def program_objects(installation: Installation, program: Program) -> Iterator[Object]:
    """All of it but what it may ask the API server for, in the order in which they are applied."""
    name = program.part.value
    yield made(installation, "v1", "ServiceAccount", name) | {"automountServiceAccountToken": False}
    if program.files:
        yield made(installation, "v1", "ConfigMap", name) | {"data": dict(program.files)}
    yield network_policy(installation, program)
    yield made(installation, "v1", "Service", name, spec=service(program.part, program.ports))
    yield _deployment(installation, program)


def made(
    installation: Installation, version: str, kind: str, name: str, spec: Mapping[str, Any] | None = None
) -> Object:
    """An object of this installation, in istio-system; cluster-wide kinds are without namespace."""
    return labelled(installation.environment, version, kind, name, spec)


def labelled(environment: str, version: str, kind: str, name: str, spec: Mapping[str, Any] | None = None) -> Object:
    """The same of an environment's monitoring."""
    labels = {NAME: name, MANAGED_BY: SOHISTIO, MONITORING_LABEL: environment}
    place = {} if kind.startswith("Cluster") else {"namespace": NAMESPACE}
    metadata = {"name": name, **place, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata} | ({"spec": dict(spec)} if spec else {})


def service(part: Part, ports: Sequence[Port]) -> Object:
    """A Service's spec. Its ports' names say the protocol to Istio."""
    listed = [{"name": port.name, "port": port.number, "targetPort": port.number, "protocol": "TCP"} for port in ports]
    return {"type": "ClusterIP", "selector": {NAME: part.value}, "ports": listed}


def claim(installation: Installation, part: Part, storage: Storage) -> Object:
    """The disk of a part."""
    spec: Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage.size}}}
    if storage.storage_class:
        spec["storageClassName"] = storage.storage_class
    return made(installation, "v1", "PersistentVolumeClaim", part.value, spec)


def cluster_rights(installation: Installation, part: Part, rules: Sequence[Mapping[str, Any]]) -> Iterator[Object]:
    """What a part may ask the API server for, in all namespaces: a ClusterRole, bound to its ServiceAccount."""
    group, name = "rbac.authorization.k8s.io", f"sohistio-{part}"
    yield made(installation, f"{group}/v1", "ClusterRole", name) | {"rules": [dict(rule) for rule in rules]}
    yield made(installation, f"{group}/v1", "ClusterRoleBinding", name) | {
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": part.value, "namespace": NAMESPACE}],
    }


def data_mount(part: Part, storage: Storage | None, path: str, limit: str) -> Mount:
    """Where a part keeps its data: a disk, or an emptyDir of at most `limit`."""
    volume: Object = (
        {"persistentVolumeClaim": {"claimName": part.value}} if storage else {"emptyDir": {"sizeLimit": limit}}
    )
    return Mount({"name": DATA} | volume, path, read_only=False)


def scratch(name: str, path: str, limit: str = "64Mi") -> Mount:
    """Room for files that nobody misses."""
    return Mount({"name": name, "emptyDir": {"sizeLimit": limit}}, path, read_only=False)


def secret_mount(name: str, secret: str, path: str, keys: Sequence[str], *, optional: bool = False) -> Mount:
    """These keys of a Secret as files, and no others. An `optional` one may be missing: the pod starts without it."""
    items = [{"key": key, "path": key} for key in keys]
    volume: Object = {"secretName": secret, "defaultMode": 0o440, "items": items}
    return Mount({"name": name, "secret": volume | ({"optional": True} if optional else {})}, path)


def network_policy(installation: Installation, program: Program) -> Object:
    """Who may call it, and whom it may call."""
    ingress = [
        {"from": callers, "ports": [_tcp(port.number)]} if callers else {"ports": [_tcp(port.number)]}
        for port in program.ports
        if (callers := _callers(installation, port)) or port.everybody
    ]
    spec: Object = {"podSelector": {"matchLabels": {NAME: program.part.value}}, "policyTypes": ["Ingress"]}
    spec["ingress"] = ingress
    if program.calls is not None:
        spec["policyTypes"] = ["Ingress", "Egress"]
        spec["egress"] = [
            *(
                [{"ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]}]
                if program.calls
                else []
            ),
            *({"to": [_pods({NAME: part.value})]} for part in program.calls),
        ]
    return made(installation, "networking.k8s.io/v1", "NetworkPolicy", program.part.value, spec)


def _callers(installation: Installation, port: Port) -> list[Object]:
    if port.everybody:
        return []
    there = [part for part in port.callers if part in installation.monitoring.parts]
    found = [_pods({NAME: part.value}) for part in there]
    gateways: tuple[GatewayPlace, ...] = installation.exposing if port.gateways else ()
    return [*found, *(_pods(dict(gateway.labels), gateway.namespace) for gateway in gateways)]


def _pods(labels: Mapping[str, str], namespace: str = "") -> Object:
    found: Object = {"podSelector": {"matchLabels": dict(labels)}}
    if namespace and namespace != NAMESPACE:
        found["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return found


def _tcp(port: int) -> Object:
    return {"protocol": "TCP", "port": port}


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
    return made(installation, "apps/v1", "Deployment", name, spec)


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
