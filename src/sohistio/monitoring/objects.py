"""What objects of monitoring are made of: names and labels, ports, volumes, rights. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sohistio.model.monitoring import MONITORING_LABEL, Part, Storage
from sohistio.model.pull_secrets import MANAGED_BY, SOHISTIO
from sohistio.model.state import ISTIO_NAMESPACE
from sohistio.monitoring.installation import Installation

Object = dict[str, Any]

NAME = "app.kubernetes.io/name"
CONFIGURATION = "configuration"
"""The volume of a program's ConfigMap."""
DATA = "data"
"""The volume that a program keeps its data in."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the program. `callers` are the parts that call it, `gateways` whether an exposing gateway does, and
    `everybody` whether every pod of the cluster does: it is open to any address.
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
    the API server. `metrics` are the port and the path that Prometheus scrapes. One that does not `reload` its files
    is restarted when they change.
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


def made(environment: str, version: str, kind: str, name: str, spec: Mapping[str, Any] | None = None) -> Object:
    """An object of an environment's monitoring, in istio-system; cluster-wide kinds are without namespace."""
    labels = {NAME: name, MANAGED_BY: SOHISTIO, MONITORING_LABEL: environment}
    place = {} if kind.startswith("Cluster") else {"namespace": ISTIO_NAMESPACE}
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
    return made(installation.environment, "v1", "PersistentVolumeClaim", part.value, spec)


def cluster_rights(installation: Installation, part: Part, rules: Sequence[Mapping[str, Any]]) -> Iterator[Object]:
    """What a part may ask the API server for, in all namespaces: a ClusterRole, bound to its ServiceAccount."""
    group, name = "rbac.authorization.k8s.io", f"sohistio-{part}"
    yield made(installation.environment, f"{group}/v1", "ClusterRole", name) | {"rules": [dict(rule) for rule in rules]}
    yield made(installation.environment, f"{group}/v1", "ClusterRoleBinding", name) | {
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": part.value, "namespace": ISTIO_NAMESPACE}],
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
