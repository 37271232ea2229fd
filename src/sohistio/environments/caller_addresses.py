"""Whether a gateway sees where requests come from: what an allow-list of addresses relies on.

Istio, "Configuring Gateway Network Topology", and Kubernetes, "Preserving the client source IP".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TOPOLOGY = "gatewayTopology"
"""It makes a proxy believe what a request says of its origin: X-Forwarded-For, the PROXY protocol."""


def sees_callers(gateway: Mapping[str, Any]) -> bool:
    """Of a gateway in an IstioOperator: its Service keeps addresses, and no overlay or annotation says otherwise."""
    settings = gateway.get("k8s") or {}
    service, overlays = settings.get("service"), str(settings.get("overlays") or "")
    local = isinstance(service, Mapping) and service.get("externalTrafficPolicy") == "Local"
    patched = any(word in overlays for word in ("externalTrafficPolicy", _TOPOLOGY))
    return local and not patched and _TOPOLOGY not in str(settings.get("podAnnotations") or "")


def trusts_requests(operator: Mapping[str, Any]) -> bool:
    """Whether the mesh's configuration makes all proxies believe requests about their origin."""
    spec = operator.get("spec") or {}
    return any(_TOPOLOGY in str(spec.get(part) or "") for part in ("meshConfig", "values", "unvalidatedValues"))
