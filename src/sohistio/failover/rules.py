"""When traffic must not be moved, by name. Pure.

The rules follow those of routing controls: never both sides off, never to a side that is not proven, and a hold-down
between two moves. (That a side is proven first is the order of the plan, and the executor's own condition.)
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from sohistio.errors import RefusedError
from sohistio.failover.world import Side, World
from sohistio.model.durations import duration_of
from sohistio.model.failover import FailoverSettings
from sohistio.model.failover_mark import Stage
from sohistio.model.fault import Fault

HOLD_DOWN = "hold-down"
ACCEPTABLE = frozenset({HOLD_DOWN})
"""Rules that `--accept` may name."""


def check_two_clusters(primary: Side, standby: Side) -> None:
    """Raises RefusedError where both sides were read from one and the same cluster."""
    if primary.is_reachable and standby.is_reachable and primary.server == standby.server:
        raise RefusedError(
            f"{primary.environment} and {standby.environment} lead to the same cluster: {primary.server}",
            details=(primary.line(), standby.line()),
            todo="Check --context and --kubeconfig, which are of the side that --to names, and the key cluster of both "
            "environments. Nothing was changed.",
        )


def faults_of(
    world: World, to: str, settings: FailoverSettings, since_switch: float | None = None
) -> tuple[Fault, ...]:
    """What speaks against moving traffic to the environment `to`.

    `since_switch` is how many seconds ago the DNS record was switched last, None where no run has.
    """
    return tuple(_faults(world, to, settings, since_switch))


def _faults(world: World, to: str, settings: FailoverSettings, since_switch: float | None) -> Iterator[Fault]:
    target = world.side(to)
    if not target.is_reachable:
        yield Fault(
            f"the cluster of {to} cannot be read: {target.problem}",
            target.hint or "Traffic cannot go there.",
            rule="target",
        )
        return
    if missing := [ref.short for ref in target.expected if ref not in {item.ref for item in target.gateways}]:
        names = ", ".join(missing)
        yield Fault(f"{to} has no gateway {names}", f"Install the mesh: `sohistio install --env {to}`.", rule="target")
    if not target.address:
        yield Fault(
            f"the ingress gateway of {to} has no address",
            f"Give {to} an ingressAddress, and `sohistio install --env {to}`.",
            rule="address",
        )
    elif target.pinned and target.pinned != target.address:
        yield Fault(
            f"the ingress gateway of {to} has the address {target.address}, its environment says {target.pinned}",
            "Correct one of them: the DNS record gets the address that the gateway has.",
            rule="address",
        )
    if not settings.probes:
        yield Fault(
            f"there is no probe that shows whether {to} answers",
            "Add failover.probes to environment.yaml: traffic is never moved to a side that is not proven.",
            rule="probes",
        )
    elif not any(probe.tells_apart for probe in settings.probes):
        yield Fault(
            "no probe tells the two environments apart",
            'Give one of failover.probes a header or body with {environment}, such as "x-region: {environment}".',
            rule="probes",
        )
    yield from _held_down(world, to, settings, since_switch)


def _held_down(world: World, to: str, settings: FailoverSettings, since_switch: float | None) -> Iterator[Fault]:
    """A move that was interrupted goes on at once: only one in the other direction waits."""
    if since_switch is None or world.named == to:
        return
    if world.standby.stage is Stage.MOVING and to == world.standby.environment:
        return
    if since_switch < settings.hold_down:
        left = _rounded_up(settings.hold_down - since_switch)
        yield Fault(
            f"the DNS record was switched {round(since_switch)} s ago: hold-down for another {left}",
            f'Wait, or go on at once: --accept {HOLD_DOWN} --because "…".',
            rule=HOLD_DOWN,
        )


def _rounded_up(seconds: float) -> str:
    """For people: whole minutes, or seconds where it is less than two."""
    return duration_of(60 * ceil(seconds / 60) if seconds > 120 else max(1, ceil(seconds)))


def drain_faults(world: World, drained: str) -> tuple[Fault, ...]:
    """What speaks against switching off the gateways of a side: both sides must never be off."""
    other = world.other(drained)
    faults = []
    if not other.is_on:
        what = f"the gateways of {other.environment} are not all ready: without those of {drained} nobody would serve"
        faults.append(Fault(what, f"See why: `sohistio status --env {other.environment}`.", rule="both-off"))
    if world.named == drained:
        faults.append(Fault(f"DNS still leads to {drained}", "Move the traffic first.", rule="both-off"))
    return tuple(faults)
