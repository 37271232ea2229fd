"""A check of the gateways' static addresses: free, or ours already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sohistio.desired import DesiredService
from sohistio.preflight.row import Fault, Good, NotAsked, Verdict
from sohistio.preflight.scene import Scene
from sohistio.state import ObjectRef

Object = Mapping[str, Any]
_ADDRESS = "service.beta.kubernetes.io/azure-load-balancer-ipv4"


def gateway_address(scene: Scene) -> Iterator[Verdict]:
    """Nobody else in the cluster has the address, nor asks for it."""
    yield from addresses(scene.mesh.services, scene.services(), scene.nodes(), scene.is_free)


def addresses(
    wanted: Sequence[DesiredService],
    services: Sequence[Object],
    nodes: Sequence[Object],
    is_free: Callable[[str], bool | None] = lambda _: None,
) -> Iterator[Verdict]:
    """One verdict for each gateway that asks for an address. `is_free` asks Azure; None where it does not know."""
    asking = [item for item in wanted if item.type == "LoadBalancer" and item.address]
    for item in asking:
        others = [
            f"{ref.namespace}/{ref.name} {'has' if has else 'asks for'} it"
            for service in services
            if (ref := _ref(service)) != item.ref
            and ((has := item.address in _held(service)) or item.address in _asked(service))
        ]
        others += [f"node {node['metadata']['name']} has it" for node in nodes if item.address in _of_node(node)]
        mine = any(_ref(service) == item.ref and item.address in _held(service) for service in services)
        if not others and not mine and is_free(item.address) is False:
            others = ["something in the virtual network has it, outside this cluster"]
        if others:
            yield Fault(f"{item.address} of {item.ref.name} is taken: {', '.join(others)}")
        else:
            yield Good(f"{item.ref.name} {'has' if mine else 'may have'} {item.address}")
    if not asking:
        yield NotAsked("no gateway asks for an address: Azure gives one")


def _ref(service: Object) -> ObjectRef:
    return ObjectRef("Service", service["metadata"]["namespace"], service["metadata"]["name"])


def _held(service: Object) -> set[str]:
    ingress = (service.get("status") or {}).get("loadBalancer", {}).get("ingress") or ()
    return {str(entry.get("ip", "")) for entry in ingress}


def _asked(service: Object) -> set[str]:
    """The annotation beats the deprecated field, and may name several addresses."""
    if service["spec"].get("type") != "LoadBalancer":
        return set()
    annotated = (service["metadata"].get("annotations") or {}).get(_ADDRESS)
    return {text.strip() for text in str(annotated or service["spec"].get("loadBalancerIP", "")).split(",")}


def _of_node(node: Object) -> set[str]:
    return {item["address"] for item in node["status"].get("addresses") or ()}
