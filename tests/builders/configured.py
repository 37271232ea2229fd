"""Configuration objects of two clusters, as the API server gives them, for the comparison of a standby."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sohistio.model.state import ObjectRef
from sohistio.model.sync import SYNCED_FROM
from sohistio.plan.ownership import SYNC_MANAGER
from sohistio.sync.side import Side

KINDS = dict.fromkeys(
    (
        "VirtualService.networking.istio.io",
        "DestinationRule.networking.istio.io",
        "AuthorizationPolicy.security.istio.io",
        "Gateway.networking.istio.io",
        "Gateway.gateway.networking.k8s.io",
    ),
    frozenset({"v1"}),
)
SPEC: dict[str, Any] = {"hosts": ["web.prod.example.com"], "http": [{"timeout": "3s"}]}


def configured(
    kind: str = "VirtualService",
    name: str = "web",
    *,
    place: str = "shop",
    spec: Mapping[str, Any] = SPEC,
    labels: Mapping[str, str] | None = None,
    managers: Mapping[str, Mapping[str, Any]] | None = None,
    **metadata: Any,
) -> dict[str, Any]:
    """An object; `managers` are field managers with the fieldsV1 of their specs."""
    group = "security.istio.io" if kind == "AuthorizationPolicy" else "networking.istio.io"
    entries = [
        {"manager": manager, "operation": "Apply", "fieldsV1": {"f:spec": fields}}
        for manager, fields in (managers or {"kubectl": {"f:hosts": {}, "f:http": {}}}).items()
    ]
    about = {"name": name, "namespace": place, "uid": "u", "resourceVersion": "7", "managedFields": entries}
    return {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": about | ({"labels": dict(labels)} if labels else {}) | metadata,
        "spec": dict(spec),
        "status": {"observedGeneration": 1},
    }


def synced(*args: Any, source: str = "prod", **changes: Any) -> dict[str, Any]:
    """The same as sync makes it."""
    labels = dict(changes.pop("labels", {})) | {SYNCED_FROM: source}
    managers = changes.pop("managers", {SYNC_MANAGER: {"f:hosts": {}, "f:http": {}}})
    return configured(*args, labels=labels, managers=managers, **changes)


def side(name: str, *objects: dict[str, Any], namespaces: tuple[str, ...] = ("shop", "istio-system")) -> Side:
    """A cluster with these objects."""
    by_ref = {
        ObjectRef(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item
        for item in objects
    }
    return Side(name, by_ref, frozenset(namespaces), KINDS)
