"""Which container of a pod has the proxy. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROXY = "istio-proxy"
"""Istio's name for the container with agent and Envoy, in gateways as in workloads."""


def container_of(pod: Mapping[str, Any]) -> dict[str, Any]:
    """The container with the agent; a gateway's first one where none has Istio's name for it."""
    return _proxy_of(pod) or dict(pod["spec"]["containers"][0])


def has_proxy(pod: Mapping[str, Any]) -> bool:
    """Whether istiod has injected a sidecar into a pod, or it is a gateway's."""
    return _proxy_of(pod) is not None


def _proxy_of(pod: Mapping[str, Any]) -> dict[str, Any] | None:
    # A native sidecar is an init container, as Istio injects it since 1.27.
    listed: list[dict[str, Any]] = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]
    return next((found for found in listed if found["name"] == PROXY), None)
