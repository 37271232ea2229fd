"""What a proxy's agent (pilot-agent, which starts Envoy) finds in its pod: files, environment, arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sohistio.sandbox.cluster_api import ClusterApi, ClusterApiError
from sohistio.sandbox.traffic.addresses import loopback_of
from sohistio.sandbox.traffic.programs import bootstrap_path, envoy_path, shim_path
from sohistio.sandbox.traffic.proxy_container import container_of

POD_VARIABLE = "SOHISTIO_SANDBOX_POD"
"""In the environment of a pod's agent and Envoy, with the pod's uid: finds both, without a record."""

_TOKEN_SECONDS = 30 * 24 * 3600  # nobody renews the file
_ROOT = "var/run/secrets/istio/root-cert.pem"
_ISTIOD = "istiod.istio-system.svc"


@dataclass(frozen=True, slots=True)
class AgentPorts:
    """Ports on 127.0.0.1, which all pods of this machine share: Envoy's admin, the agent's status, Envoy's metrics."""

    admin: int
    status: int
    metrics: int


def write_files(api: ClusterApi, home: Path, pod: Mapping[str, Any]) -> None:
    """What a kubelet mounts into the pod, below `home`; the agent reads it relative to its working folder.

    Raises ClusterApiError where the cluster does not have it yet: the root certificate comes from istiod.
    """
    metadata, namespace = pod["metadata"], pod["metadata"]["namespace"]
    core = f"/api/v1/namespaces/{namespace}"
    bound = {"kind": "Pod", "apiVersion": "v1", "name": metadata["name"], "uid": metadata["uid"]}
    request = {"spec": {"audiences": ["istio-ca"], "expirationSeconds": _TOKEN_SECONDS, "boundObjectRef": bound}}
    token = api.create(f"{core}/serviceaccounts/{pod['spec']['serviceAccountName']}/token", request)
    template = bootstrap_path().read_text(encoding="utf-8")
    files = {
        _ROOT: root_certificate(api, namespace),
        "var/run/secrets/tokens/istio-token": token["status"]["token"],
        "etc/istio/config/mesh": _mesh(api, namespace),
        "etc/istio/pod/labels": _downward(metadata.get("labels")),
        "etc/istio/pod/annotations": _downward(metadata.get("annotations")),
        # The first two are the listener of Envoy's own metrics, which the agent asks for on 127.0.0.1.
        "bootstrap.json": template.replace("{{ .wildcard }}", "127.0.0.1", 2),
    }
    (home / "etc/istio/proxy").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(content, encoding="utf-8")


def root_certificate(api: ClusterApi, namespace: str) -> str:
    """What the pods of a namespace trust, PEM; raises ClusterApiError where istiod has not written it yet."""
    found = api.get(f"/api/v1/namespaces/{namespace}/configmaps/istio-ca-root-cert")
    return str(found["data"]["root-cert.pem"])


def renew_root_certificate(api: ClusterApi, home: Path, namespace: str) -> None:
    """Follow a changed root certificate, as a kubelet does with what it has mounted; raises ClusterApiError."""
    path, root = home / _ROOT, root_certificate(api, namespace)
    if path.read_text(encoding="utf-8") != root:
        path.write_text(root, encoding="utf-8")


def _mesh(api: ClusterApi, namespace: str) -> str:
    """The mesh's configuration; a pod runs without it while the mesh has been uninstalled."""
    try:
        return str(api.get(f"/api/v1/namespaces/{namespace}/configmaps/istio")["data"]["mesh"])
    except ClusterApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return ""


def environment(
    home: Path, pod: Mapping[str, Any], address: str, ports: AgentPorts, istiod_port: int
) -> dict[str, str]:
    """The environment of the pod's own container, and what leads Envoy to its address and the agent to istiod."""
    given = _environment_of(pod, address)
    # A name, not an address: the client for certificates then verifies istiod by ISTIOD_SAN.
    istiod = f"localhost:{istiod_port}"
    proxy = json.loads(given.get("PROXY_CONFIG") or "{}") | {
        "discoveryAddress": istiod,
        "binaryPath": str(envoy_path()),
        "configPath": "./etc/istio/proxy",  # relative: names of sockets have at most 107 bytes
        "proxyAdminPort": ports.admin,
        "statusPort": ports.status,
        "concurrency": 1,
    }
    return given | {
        "HOME": str(home),
        "PROXY_CONFIG": json.dumps(proxy),
        "CA_ADDR": istiod,
        "ISTIOD_SAN": _ISTIOD,
        "ISTIO_META_CLUSTER_ID": "Kubernetes",
        # Nothing is captured here: Sidecar resources say where a sidecar listens. Gateways ignore it.
        "ISTIO_META_INTERCEPTION_MODE": "NONE",
        "ISTIO_CPU_LIMIT": "1",
        "ISTIO_BOOTSTRAP": str(home / "bootstrap.json"),
        "ENVOY_PROMETHEUS_PORT": str(ports.metrics),
        "LD_PRELOAD": str(shim_path()),
        "SANDBOX_POD_ADDRESS": loopback_of(address),
        POD_VARIABLE: str(pod["metadata"]["uid"]),
    }


def arguments(pod: Mapping[str, Any], given: Mapping[str, str]) -> tuple[str, ...]:
    """The container's arguments, with $(VARIABLE) filled in as Kubernetes does."""
    listed = container_of(pod).get("args") or []
    return tuple(re.sub(r"\$\((\w+)\)", lambda found: given.get(found[1], found[0]), text) for text in listed)


def pre_stop_seconds(pod: Mapping[str, Any]) -> float:
    """How long the preStop hook sleeps: its `sleep`, or the `sleep N` in its command. Other hooks are not run."""
    hook = (container_of(pod).get("lifecycle") or {}).get("preStop") or {}
    command = " ".join((hook.get("exec") or {}).get("command") or ())
    written = re.search(r"\bsleep (\d+(?:\.\d+)?)", command)
    return float((hook.get("sleep") or {}).get("seconds") or (written[1] if written else 0))


def _environment_of(pod: Mapping[str, Any], address: str) -> dict[str, str]:
    metadata, spec = pod["metadata"], pod["spec"]
    fields = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": address,
        "status.hostIP": (pod.get("status") or {}).get("hostIP", ""),
    }
    found = {}
    for entry in container_of(pod).get("env") or []:
        reference = (entry.get("valueFrom") or {}).get("fieldRef")
        if "value" in entry:
            found[entry["name"]] = str(entry["value"])
        elif reference:
            found[entry["name"]] = _field(metadata, fields, reference["fieldPath"])
    return found


def _field(metadata: Mapping[str, Any], fields: Mapping[str, str], path: str) -> str:
    keyed = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if keyed:
        return str((metadata.get(keyed[1]) or {}).get(keyed[2], ""))
    return str(fields.get(path, ""))


def _downward(values: Mapping[str, str] | None) -> str:
    """As the downward API writes a map into a file."""
    return "".join(f"{key}={json.dumps(value)}\n" for key, value in sorted((values or {}).items()))
