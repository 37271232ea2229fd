"""A gateway that moves (to another namespace, or to another name) with its static address: who gives it to whom."""

from __future__ import annotations

from collections.abc import Sequence

from sohistio.model.desired import DesiredMesh
from sohistio.model.state import ClusterState, ObjectRef, ObservedService
from sohistio.plan.changes import Action, Changes
from sohistio.plan.gateway_change import GatewayChange
from sohistio.plan.gateway_steps import AwaitAddresses, HandOverAddress
from sohistio.plan.plan import Phase, Plan
from sohistio.plan.steps import AwaitRollouts, ScaleUp, Step

_BALANCED = "LoadBalancer"


def handover(state: ClusterState, desired: DesiredMesh, changes: Changes) -> tuple[Phase, ...]:
    """The phase that follows the install: by then the new gateway's pods are ready, as many as the old one had.

    Azure gives an address once, so the Service that no manifest has any more must go before the other can get it.
    """
    going = {change.ref for change in changes.objects if change.action is Action.REMOVED}
    givers = {address: seen for seen in state.gateway_services if seen.ref in going for address in _addresses(seen)}
    steps: list[Step] = []
    for wanted in desired.services:
        given = [address for address in _split(wanted.address) if wanted.type == _BALANCED and address in givers]
        for address in given:
            giver = givers[address].ref
            steps += _enough_pods(state, desired, (giver, wanted.ref), address)
            steps.append(
                HandOverAddress(
                    f"handover/{address}",
                    f"hand {address} over: delete {giver}, wait until {wanted.ref} has the address",
                    address,
                    giver,
                    wanted.ref,
                )
            )
    return (Phase("handover", tuple(steps)),) if steps else ()


def moved_addresses(desired: DesiredMesh, moved: Sequence[GatewayChange]) -> tuple[Phase, ...]:
    """The wait for addresses that the install changes: a verification right after it would find the old ones."""
    changed = {change.service for change in moved if change.moves_address}
    awaited = tuple(
        (item.ref, address) for item in desired.services if item.ref in changed for address in _split(item.address)
    )
    if not awaited:
        return ()
    names = ", ".join(f"{ref.short} has {address}" for ref, address in awaited)
    return (Phase("addresses", (AwaitAddresses("addresses/await", f"wait until {names}", awaited),)),)


def notices(plan: Plan) -> tuple[str, ...]:
    """What clients notice of it."""
    return tuple(
        f"nobody answers at {step.address} from when {step.giver} is deleted until {step.taker} has the address: "
        "seconds, on Azure perhaps minutes; its pods are ready before"
        for step in plan.handovers
    )


def _enough_pods(
    state: ClusterState, desired: DesiredMesh, services: tuple[ObjectRef, ObjectRef], address: str
) -> list[Step]:
    """The new gateway begins with its autoscaler's minimum, and the old one may have had more. Charts name a gateway's
    Deployment as its Service."""
    giver, taker = (ObjectRef("Deployment", ref.namespace, ref.name) for ref in services)
    had = next((seen.desired for seen in state.mesh_deployments if seen.ref == giver), 0)
    least = next((item.minimum for item in desired.deployments if item.ref == taker and not item.is_off), had)
    if had <= least:
        return []
    minimums = ((taker, had),)
    return [
        ScaleUp(f"handover/{address}/scale-up", f"scale {taker.short} to {had}, as {giver.short} is", minimums),
        AwaitRollouts(f"handover/{address}/await", f"wait for {taker.short} ≥ {had}", minimums),
    ]


def _addresses(seen: ObservedService) -> set[str]:
    """What it has, and what it asks for: both stand in the way of another."""
    if seen.type != _BALANCED:
        return set()
    return {*seen.addresses, *_split(seen.wanted_address or seen.load_balancer_ip)}


def _split(addresses: str) -> list[str]:
    return [address for text in addresses.split(",") if (address := text.strip())]
