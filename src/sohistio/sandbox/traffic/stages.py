"""kwok's stages for a sandbox with traffic: they leave out the pods that kubelet.py runs."""

from __future__ import annotations

from typing import Any

from sohistio.sandbox.traffic.proxy_container import PROXY

GATEWAYS = ("istio-ingressgateway", "istio-egressgateway")
"""The label `app` of the pods, in istio-system, that have an Envoy."""

SIDECAR_LABEL = "sandbox.sohistio/sidecar"
"""On pods, in any namespace, whose injected sidecar runs a real Envoy; its value is `true`.

A pod without a sidecar is kwok's, whatever its label says.
"""

_WITH_SIDECAR = (
    f'select( [ .spec.containers, .spec.initContainers | .[]?.name ] | any( . == "{PROXY}" ) ) '
    f'| .metadata.labels["{SIDECAR_LABEL}"]'
)
_LEFT_OUT = ("pod-ready", "pod-not-ready", "pod-delete")


def without_proxies(stages: str) -> str:
    """The same stages; those that run and end pods do not take pods with a proxy."""
    import yaml

    documents: list[dict[str, Any]] = list(yaml.safe_load_all(stages))
    for document in documents:
        if document["metadata"]["name"] in _LEFT_OUT:
            document["spec"]["selector"]["matchExpressions"] += [
                {
                    "key": '.metadata | select( .namespace == "istio-system" ) | .labels["app"]',
                    "operator": "NotIn",
                    "values": list(GATEWAYS),
                },
                {"key": _WITH_SIDECAR, "operator": "NotIn", "values": ["true"]},
            ]
    return yaml.safe_dump_all(documents, sort_keys=False)
