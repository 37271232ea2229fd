"""Istio's objects as raw data, in the versions that every supported Istio serves."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from sohistio.model.policy import POLICY_LABEL, GatewayPlace

Object = dict[str, Any]

ROOT = "istio-system"
"""Mesh-wide objects are here: Istio's root namespace."""
GATEWAYS_PORT = 443
"""The port of the egress gateway's Service that everything external goes through, told apart by SNI."""
SUPPRESS, DRY_RUN = "galley.istio.io/analyze-suppress", "istio.io/dry-run"
"""Annotations: findings of istioctl's analysis that do not apply, and policies that refuse nothing yet."""

_VERSIONS = {
    **dict.fromkeys(("PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy"), "security.istio.io/v1"),
    **dict.fromkeys(("Gateway", "VirtualService", "DestinationRule", "ServiceEntry"), "networking.istio.io/v1"),
    "EnvoyFilter": "networking.istio.io/v1alpha3",
    "Telemetry": "telemetry.istio.io/v1",
}
KINDS = tuple(_VERSIONS)
"""The kinds that policy makes."""


def made(kind: str, namespace: str, name: str, spec: Mapping[str, Any]) -> Object:
    """An object of one of `KINDS`."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": _VERSIONS[kind], "kind": kind, "metadata": metadata, "spec": dict(spec)}


def labelled(obj: Object, environment: str) -> Object:
    """With the label that says which environment's policy it was made from."""
    metadata = obj["metadata"]
    return obj | {"metadata": metadata | {"labels": metadata.get("labels", {}) | {POLICY_LABEL: environment}}}


def selector(gateway: GatewayPlace) -> Object:
    """A policy's selector of a gateway's pods."""
    return {"matchLabels": dict(gateway.labels)}


def selected_labels(spec: Mapping[str, Any]) -> Mapping[str, str]:
    """The labels of the pods that a policy selects; empty where it selects all."""
    return (spec.get("selector") or {}).get("matchLabels") or {}


def without_empty(**values: Any) -> Object:
    """The values that say something, by Istio's keys: what is empty or 0 is left out."""
    return {key: value for key, value in values.items() if value not in (None, "", (), [], {}, 0)}


def slug(text: str) -> str:
    """A text as part of an object's name or of a subset's: lower case, digits, dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def short_digest(*parts: str) -> str:
    """Tells names apart that look alike; stable."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:6]


def duration(seconds: int) -> str:
    """As Istio takes a duration."""
    return f"{seconds}s"


def service_host(service: str, namespace: str) -> str:
    """A Service's full name."""
    return f"{service}.{namespace}.svc.cluster.local"
