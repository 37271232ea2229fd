"""A check of the gateways' static addresses: free, or taken by this mesh already; and which one serves now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from sohistio.checks.preflight.check import Good, NotAsked, Verdict
from sohistio.checks.preflight.context import Context
from sohistio.model.desired import DesiredService
from sohistio.model.fault import Fault, Severity
from sohistio.model.state import ObjectRef

Object = Mapping[str, Any]
_WARN = Severity.WARNING
_ADDRESS = "service.beta.kubernetes.io/azure-load-balancer-ipv4"
_MOVES = "It needs a yes: tell who sends traffic there, and change what names the old address (DNS, firewalls)."


def gateway_address(context: Context) -> Iterator[Verdict]:
    """Nobody else in the cluster has the address, nor asks for it."""
    plan = context.planned.plan
    going = {step.giver for step in plan.handovers} | set(plan.removed)
    yield from addresses(context.mesh.services, context.services(), context.nodes(), context.is_free, going)


def addresses(
    wanted: Sequence[DesiredService],
    services: Sequence[Object],
    nodes: Sequence[Object],
    is_free: Callable[[str], bool | None] = lambda _: None,
    going: Collection[ObjectRef] = (),
) -> Iterator[Verdict]:
    """One verdict for each gateway that asks for an address, or serves on one. `is_free` asks Azure; None where it
    does not know. `going` are Services that the plan deletes: they give their address away.
    """
    known = {_ref(service): service for service in services}
    reported = False
    for item in wanted:
        now = sorted(_held(known[item.ref])) if item.ref in known else []
        if item.type != "LoadBalancer":
            continue
        if not item.address:
            if now:
                reported = True
                yield _left_to_azure(item, ", ".join(now), known[item.ref])
            continue
        reported = True
        others = [
            f"{ref.namespace}/{ref.name} {'has' if has else 'asks for'} it"
            for ref, service in known.items()
            if ref != item.ref
            and ref not in going
            and ((has := item.address in _held(service)) or item.address in _asked(service))
        ]
        others += [f"node {node['metadata']['name']} has it" for node in nodes if item.address in _of_node(node)]
        giver = next((ref for ref in known if ref in going and item.address in _held(known[ref])), None)
        if not others and not giver and item.address not in now and is_free(item.address) is False:
            others = ["something in the virtual network has it, outside this cluster"]
        yield _verdict(item, now, giver, others)
    if not reported:
        yield NotAsked("no gateway asks for an address: Azure gives one")


def _verdict(item: DesiredService, now: list[str], giver: ObjectRef | None, others: list[str]) -> Verdict:
    name, serves = item.ref.short, f"; it serves on {', '.join(now)} now" if now else ""
    if others:
        return Fault(f"{item.address} of {name} is taken: {', '.join(others)}{serves}")
    if item.address in now:
        return Good(f"{name} has {item.address}")
    if giver is not None:
        return Fault(
            f"{giver} has {item.address} now; an install hands it over to {name}{serves}",
            "Nobody answers at it in between: choose a quiet hour.",
            _WARN,
        )
    if now:
        return Fault(f"{name} serves on {', '.join(now)} now; an install moves it to {item.address}", _MOVES, _WARN)
    return Good(f"{name} may have {item.address}")


def _left_to_azure(item: DesiredService, now: str, service: Object) -> Verdict:
    if _asked(service) - {""}:
        message = f"{item.ref.short} serves on {now} now, which the environment no longer asks for: Azure may change it"
        return Fault(message, _MOVES, _WARN)
    return Good(f"{item.ref.short} serves on {now}, which Azure chose")


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
