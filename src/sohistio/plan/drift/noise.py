"""What the server, istiod, istioctl's installing and AKS write by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sohistio.model.injecting_hook import AKS_SELECTOR_KEYS
from sohistio.model.injecting_hook import is_parked as is_parked_hook

# What istioctl adds while it installs; `manifest generate` does not have it, so it is no drift.
INSTALLER_LABELS = frozenset(
    {
        "install.operator.istio.io/owning-resource",
        "install.operator.istio.io/owning-resource-namespace",
        "istio.io/rev",
        "operator.istio.io/component",
        "operator.istio.io/managed",
        "operator.istio.io/version",
    }
)
_SERVER_METADATA = frozenset({"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"})
# Of webhooks: istiod writes the first two, AKS and istioctl's parking the selectors.
WEBHOOK_NOISE = frozenset({"caBundle", "failurePolicy", "namespaceSelector", "objectSelector"})
# istioctl makes it at the end of an install; its webhooks serve from then on, and the injector's own are parked.
REVISION_TAG = "istio-revision-tag-default"


def is_parked(obj: Mapping[str, Any]) -> bool:
    """Whether the injector's webhooks are switched off because the default revision tag's serve in their place."""
    return any(map(is_parked_hook, obj.get("webhooks") or ()))


def quiet(obj: Mapping[str, Any], *, parked: bool) -> dict[str, Any]:
    """The object without noise; `parked` as the live object has it."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _SERVER_METADATA}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k not in INSTALLER_LABELS}
    metadata["labels"] = labels
    result = {key: value for key, value in obj.items() if key != "status"}
    result["metadata"] = metadata
    if "webhooks" in obj:
        result["webhooks"] = [_quiet_webhook(webhook, parked) for webhook in obj["webhooks"] or []]
    return result


def _quiet_webhook(webhook: Mapping[str, Any], parked: bool) -> dict[str, Any]:
    result = {key: value for key, value in webhook.items() if key != "failurePolicy"}
    result["clientConfig"] = {k: v for k, v in webhook.get("clientConfig", {}).items() if k != "caBundle"}
    for key in ("namespaceSelector", "objectSelector"):
        selector = {} if parked else dict(webhook.get(key) or {})
        kept = [e for e in selector.pop("matchExpressions", None) or () if e["key"] not in AKS_SELECTOR_KEYS]
        result[key] = selector | ({"matchExpressions": kept} if kept else {})
    return result
