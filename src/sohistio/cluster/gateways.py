"""Which objects are gateways that istioctl installed: in istio-system, or in a namespace of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sohistio.cluster.kube import Object
from sohistio.state import ObjectRef, ServiceSeen

_COMPONENT = "operator.istio.io/component"
_GATEWAYS = ("IngressGateways", "EgressGateways")
# Of the charts: it stays on gateways while a replace has their other labels off (release_gateways), or died there.
_OWNER = "install.operator.istio.io/owning-resource"
_ADDRESS = "service.beta.kubernetes.io/azure-load-balancer-ipv4"


def is_gateway(item: Object) -> bool:
    """By istioctl's label, in any namespace.

    Another IstioOperator's gateway is one, too: planners look for the ones of their manifest by name, and what is
    removed is a question of its own (cluster/compare.py).
    """
    return (item["metadata"].get("labels") or {}).get(_COMPONENT) in _GATEWAYS


def is_released(deployment: Object) -> bool:
    """A gateway without istioctl's labels, so that an uninstall passes it by: it serves all the same."""
    labels = deployment["metadata"].get("labels") or {}
    return bool(labels.get(_OWNER)) and _COMPONENT not in labels and labels.get("app") != "istiod"


def gateway_services(services: Sequence[Object], deployments: Collection[ObjectRef]) -> tuple[ServiceSeen, ...]:
    """The Services of gateways: by the label, and by the name, which is that of a gateway's Deployment in the charts.

    The name finds those whose labels an interrupted replacement took off.
    """
    names = {(ref.namespace, ref.name) for ref in deployments}
    return tuple(
        _service(item)
        for item in services
        if is_gateway(item) or (item["metadata"]["namespace"], item["metadata"]["name"]) in names
    )


def addresses_of(service: Mapping[str, Any]) -> tuple[str, ...]:
    """What a load balancer has given a Service: IP addresses, or a host name where it gives those."""
    ingress = (service.get("status") or {}).get("loadBalancer", {}).get("ingress") or ()
    return tuple(entry.get("ip") or entry.get("hostname", "") for entry in ingress)


def _service(item: Object) -> ServiceSeen:
    metadata, spec = item["metadata"], item["spec"]
    return ServiceSeen(
        ref=ObjectRef("Service", metadata["namespace"], metadata["name"]),
        type=str(spec.get("type", "ClusterIP")),
        wanted_address=str((metadata.get("annotations") or {}).get(_ADDRESS, "")),
        addresses=addresses_of(item),
        load_balancer_ip=str(spec.get("loadBalancerIP") or ""),
    )
