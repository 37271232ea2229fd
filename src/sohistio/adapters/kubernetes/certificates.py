"""Adapter: the certificates that a mesh and its gateways live by, with their ends; no key is parsed or kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi, KubeError, Object
from sohistio.adapters.kubernetes.authority import read_authority
from sohistio.adapters.kubernetes.custom_resources import resource_ref
from sohistio.adapters.kubernetes.mesh_config import mesh_config
from sohistio.adapters.kubernetes.paths import path_of
from sohistio.model.certificate import Certificate, GatewayCertificate, MeshCertificates, WorkloadLife
from sohistio.model.gateway_secrets import secrets_named
from sohistio.model.state import MeshDeployment, ObjectRef
from sohistio.system.certificates import certificate_of
from sohistio.system.parallel import side_by_side

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_GO_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")


def read_certificate(api: KubeApi, secret: ObjectRef) -> Certificate | None:
    """The fingerprint and the end of a Secret's certificate; None where it holds none that can be read.

    Raises KubeError, 404 without the Secret.
    The API server gives whole Secrets only: the key is neither parsed nor kept.
    """
    leaf = certificate_of(api.request("GET", path_of(secret)))
    return Certificate(leaf.fingerprint, leaf.ends.timestamp(), leaf.ends.date().isoformat()) if leaf else None


def mesh_certificates(
    api: KubeApi, objects: Sequence[Object], deployments: Sequence[MeshDeployment]
) -> MeshCertificates:
    """Of the CA, of the Secrets that these custom resources' Gateways name, and of workloads as configured.

    Raises KubeError where something else is in the way than a lack of permission to get Secrets.
    """
    found = signing_certificates(api, objects, deployments)
    return replace(found, workloads=_workload_life(api, deployments))


def signing_certificates(
    api: KubeApi, objects: Sequence[Object], deployments: Sequence[MeshDeployment]
) -> MeshCertificates:
    """The same without those of workloads, which are left at Istio's defaults: two requests fewer."""
    secrets = secrets_named({resource_ref(item): item for item in objects}, deployments)
    found = tuple(side_by_side(lambda secret: _of_gateway(api, secret), secrets))
    return MeshCertificates(read_authority(api), found)


def _of_gateway(api: KubeApi, secret: ObjectRef) -> GatewayCertificate:
    try:
        return GatewayCertificate(secret, read_certificate(api, secret))
    except KubeError as error:
        if error.status not in (403, 404):
            raise
        return GatewayCertificate(secret, None, unread=error.status == 403)


def _workload_life(api: KubeApi, deployments: Sequence[MeshDeployment]) -> WorkloadLife:
    """Of the mesh's configuration and istiod's environment; Istio's defaults where they say nothing."""
    usual = WorkloadLife()
    asked = go_seconds(_proxy_metadata(mesh_config(api)).get("SECRET_TTL")) or usual.asked
    istiod = next((item.ref for item in deployments if item.component == "istiod"), None)
    most = go_seconds(_environment(api.get(path_of(istiod))).get("MAX_WORKLOAD_CERT_TTL")) if istiod else None
    return WorkloadLife(asked, most or usual.most)


def _proxy_metadata(mesh: Mapping[str, Any]) -> Mapping[str, Any]:
    proxies = mesh.get("defaultConfig")
    found = proxies.get("proxyMetadata") if isinstance(proxies, dict) else None
    return found if isinstance(found, dict) else {}


def _environment(deployment: Object | None) -> Mapping[str, Any]:
    containers = (deployment or {}).get("spec", {}).get("template", {}).get("spec", {}).get("containers") or ()
    return {item["name"]: item.get("value") for one in containers for item in one.get("env") or ()}


def go_seconds(text: object) -> int | None:
    """The seconds of a duration as Go writes it, such as 24h0m0s; None for anything else."""
    if not isinstance(text, str) or not _GO_DURATION.fullmatch(text):
        return None
    return round(sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|h|m|s)", text)))
