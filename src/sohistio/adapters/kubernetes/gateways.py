"""Which objects are gateways that istioctl installed: in istio-system, or in a namespace of their own.

A replacement takes istioctl's labels off a gateway's objects while the old control plane is uninstalled, and puts a
mark of sohistio in their place (release_gateways). By it they are still known where that run died, or changed its mind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sohistio.adapters.kubernetes.api import Object
from sohistio.model.state import ObjectRef, ObservedService

COMPONENT = "operator.istio.io/component"
GATEWAYS = ("IngressGateways", "EgressGateways")
# The kinds that gateways' objects are of. A later run knows by the marks of the first two that there is something to
# put back: they get theirs first, and lose them last.
GATEWAY_KINDS = (
    "Service",
    "Deployment",
    "ServiceAccount",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
)
FIRST_MARKED = GATEWAY_KINDS[:2]
# Our mark; its value is that of the label whose place it took.
KEPT = "sohistio/kept-gateway"
# Ends the mark of an object that another IstioOperator than our mesh's put there.
_OF_ANOTHER = ".of-another"
_OWNER = "install.operator.istio.io/owning-resource"
# What istioctl writes where the IstioOperator has no name: whose that is, only its place can tell.
_NAMELESS = "unknown"
_ADDRESS = "service.beta.kubernetes.io/azure-load-balancer-ipv4"


def is_gateway(item: Object) -> bool:
    """By istioctl's label, in any namespace.

    Another IstioOperator's gateway is one, too: planners look for the ones of their manifest by name, and what is
    removed is a question of its own (compare.py).
    """
    return kept_component(item) in GATEWAYS


def kept_component(item: Object) -> str:
    """The component as istioctl's label says it, or sohistio's mark where that label is off; else empty."""
    labels = item["metadata"].get("labels") or {}
    return str(labels.get(COMPONENT) or labels.get(KEPT, "").removesuffix(_OF_ANOTHER))


def kept_mark(item: Object, owner: str | None) -> str:
    """Our mark for an object of a gateway; `owner` is that of the mesh's own objects."""
    return kept_component(item) + ("" if is_owned_by(item, owner) else _OF_ANOTHER)


def is_kept(item: Object) -> bool:
    """Whether it has sohistio's mark still: it was released, and not all of its labels are put right again."""
    return KEPT in (item["metadata"].get("labels") or {})


def is_released(item: Object) -> bool:
    """Whether istioctl's label is off, so that an uninstall passes it by: a gateway serves all the same."""
    return is_kept(item) and COMPONENT not in item["metadata"]["labels"]


def is_of_another(item: Object) -> bool:
    """Whether sohistio's mark says that another IstioOperator put it there."""
    return str((item["metadata"].get("labels") or {}).get(KEPT, "")).endswith(_OF_ANOTHER)


def is_owned_by(item: Object, owner: str | None) -> bool:
    """Whether it may be of that IstioOperator: it has its name, or none, as that itself may once have had."""
    return owner_of(item) in (owner, _NAMELESS, None)


def owner_of(item: Object) -> str | None:
    """The IstioOperator that istioctl installed an object from, as its label says."""
    owner: str | None = (item["metadata"].get("labels") or {}).get(_OWNER)
    return owner


def gateway_services(services: Sequence[Object], deployments: Collection[ObjectRef]) -> tuple[ObservedService, ...]:
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


def _service(item: Object) -> ObservedService:
    metadata, spec = item["metadata"], item["spec"]
    return ObservedService(
        ref=ObjectRef("Service", metadata["namespace"], metadata["name"]),
        type=str(spec.get("type", "ClusterIP")),
        wanted_address=str((metadata.get("annotations") or {}).get(_ADDRESS, "")),
        addresses=addresses_of(item),
        load_balancer_ip=str(spec.get("loadBalancerIP") or ""),
    )
