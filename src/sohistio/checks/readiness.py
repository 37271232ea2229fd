"""Checks of whether a standby could take over: the same for `check`, for a failover and for its rehearsal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import partial

from sohistio.adapters.dns.adapter import Watch
from sohistio.adapters.dns.resolve import resolve_everywhere
from sohistio.adapters.kubernetes.api import KubeError, Object
from sohistio.adapters.probe.https import ask
from sohistio.checks import standby_authority, standby_configuration
from sohistio.checks.peak import room_at_peak
from sohistio.checks.preflight.check import Check, Good, NotAsked, Stage, Verdict
from sohistio.checks.preflight.context import Context, Sides, UnseenError
from sohistio.checks.preflight.pulls import standby_verdicts
from sohistio.checks.preflight.report import Report
from sohistio.checks.preflight.runner import look
from sohistio.failover.dns import ttl_warning
from sohistio.failover.readiness import (
    address_faults,
    idle_faults,
    idle_hosts,
    rehearsal_fault,
    version_faults,
)
from sohistio.failover.world import Side
from sohistio.model.ages import DAY
from sohistio.model.dns import RecordAnswer
from sohistio.model.fault import Fault, Severity
from sohistio.model.mode import Mode
from sohistio.system.parallel import side_by_side
from sohistio.system.program import program_path
from sohistio.system.times import seconds_since_1970

_NETWORKING = "/apis/networking.istio.io/v1"
_NOT_DECLARED = "the environment does not say how traffic gets to it (failover)"
_SECONDS = 60.0


def _sides(context: Context) -> Sides:
    found = context.sides()
    if found is None:
        raise UnseenError(_NOT_DECLARED)
    return found


def _standby(context: Context) -> Side:
    """Read, or the check says that it was not."""
    side = _sides(context).observed.world.standby
    if not side.is_reachable:
        raise UnseenError(f"{side.environment} cannot be read")
    return side


def addresses(context: Context) -> Iterator[Verdict]:
    """Both are pinned, and the gateways have them."""
    world = _sides(context).observed.world
    fine = f"{world.standby.address} is {world.standby.environment}'s"
    yield from _or_good(address_faults((world.primary, world.standby)), fine)


def versions(context: Context) -> Iterator[Verdict]:
    """Both sides run the same Istio."""
    world = _sides(context).observed.world
    if not world.primary.is_reachable:
        yield NotAsked(f"{world.primary.environment} cannot be read")
        return
    yield from _or_good(version_faults(world.primary, _standby(context)), f"both run {world.standby.version}")


def peak(context: Context) -> Iterator[Verdict]:
    """The gateways have room at their autoscalers' minimum, and at their maximum too."""
    yield from room_at_peak(context, _standby(context))


def images(context: Context) -> Iterator[Verdict]:
    """What the standby's gateways and new sidecars are made of can be pulled there."""
    yield from standby_verdicts(context, _standby(context))


def endpoints(context: Context) -> Iterator[Verdict]:
    """Each host that is routed has somebody who answers."""
    _standby(context)
    gateways, routes = _listed(context, f"{_NETWORKING}/gateways"), _listed(context, f"{_NETWORKING}/virtualservices")
    slices = context.api.items("/apis/discovery.k8s.io/v1/endpointslices")
    found = idle_hosts(gateways, routes, slices)
    yield from _or_good(idle_faults(found), "every routed host has a ready endpoint")


def certificates(context: Context) -> Iterator[Verdict]:
    """The TLS Secrets that Gateways name are there, and last a while."""
    _standby(context)
    yield from standby_configuration.certificates(context, _sides(context))


def authority(context: Context) -> Iterator[Verdict]:
    """Both sides' workloads and clients trust the same root."""
    _standby(context)
    yield from standby_authority.same_root(_sides(context))


def configuration(context: Context) -> Iterator[Verdict]:
    """The standby has the mesh's configuration as the other side has it."""
    _standby(context)
    yield from standby_configuration.configuration(context, _sides(context))


def dns(context: Context) -> Iterator[Verdict]:
    """The record can be switched, and clients would follow soon."""
    sides = _sides(context)
    pair, seen = sides.pair, sides.observed
    settings = pair.settings.dns
    pair.dns(Watch(said=lambda _: None)).check_rights()
    said = resolve_everywhere(settings.record, settings.servers)
    silent = [str(server) for server, answer in said.items() if not isinstance(answer, RecordAnswer)]
    if len(silent) == len(settings.servers):
        yield Fault(f"no name server answers: {', '.join(silent)}", "Correct failover.dns.servers.")
        return
    if silent:
        what = f"{', '.join(silent)} does not answer for {settings.record}: a failover does not wait for it"
        yield Fault(what, "Correct failover.dns.servers, or see why.", Severity.WARNING)
    slow = ttl_warning(settings.record, seen.world.answer, settings.max_ttl)
    if slow:
        yield Fault(slow, "Lower it well before you need it.", Severity.WARNING)
    else:
        yield Good(f"{settings.record} leads to {seen.world.named}: {seen.world.answer}")


def probes(context: Context) -> Iterator[Verdict]:
    """The side that serves now answers them."""
    sides = _sides(context)
    pair, seen = sides.pair, sides.observed
    side = seen.world.side(seen.world.named)
    if not side.address or not pair.settings.probes:
        yield NotAsked("there is nobody to ask")
        return
    asked = [probe.expecting(side.environment) for probe in pair.settings.probes]
    answers = side_by_side(lambda probe: ask(probe, side.address), asked)
    faults = [
        Fault(f"{probe.url} at {side.environment}: {answer.fault}")
        for probe, answer in zip(asked, answers, strict=True)
        if answer.fault
    ]
    yield from _or_good(iter(faults), f"{side.environment} answers as the probes say")


def hook(context: Context) -> Iterator[Verdict]:
    """The program is there; it is run when traffic is about to move."""
    program = _sides(context).pair.settings.before
    if program is None:
        yield NotAsked("there is none (failover.before)")
        return
    yield Good(f"{program_path(program.argv, program.folder)} is there")


def rehearsal(context: Context) -> Iterator[Verdict]:
    """It was rehearsed not long ago."""
    sides = _sides(context)
    pair, seen = sides.pair, sides.observed
    record = seen.records.get(pair.standby.environment.name)
    last = record.last_of(Mode.REHEARSE) if record else None
    ended = seconds_since_1970(last.ended) if last else None
    days = None if ended is None else (time.time() - ended) / DAY
    fault = rehearsal_fault(days)
    if fault:
        yield fault
    else:
        yield Good(f"rehearsed {days or 0:.0f} days ago, by {last.who if last else '?'}")


def _or_good(faults: Iterator[Fault], fine: str) -> Iterator[Verdict]:
    found: list[Verdict] = list(faults)
    yield from found or [Good(fine)]


def _listed(context: Context, path: str) -> list[Object]:
    try:
        return context.api.items(path)
    except KubeError as error:
        if error.status == 404:
            return []
        raise


_row = partial(Check, stage=Stage.CHECK, seconds=_SECONDS)
# fmt: off
READINESS: tuple[Check, ...] = (
    _row("failover-addresses", Severity.ERROR, "both sides' ingress addresses are pinned, and the gateways have them",
        "Correct ingressAddress, or the Service.", addresses),
    _row("failover-versions", Severity.ERROR, "both sides run the same Istio",
        "Upgrade the older one, the standby first.", versions),
    _row("failover-configuration", Severity.ERROR, "the standby has the mesh's configuration as the other side has it",
        "`sohistio sync` shows what differs, and applies it.", configuration),
    _row("failover-capacity", Severity.ERROR, "the standby's nodes have room for its gateways, at peak too",
        "Add nodes, or free some.", peak),
    _row("failover-images", Severity.ERROR, "the images of the standby's gateways and sidecars can be pulled there",
        "Correct the standby's pull Secret; pods that are not on a node yet would not start.", images),
    _row("failover-endpoints", Severity.ERROR, "every host that the standby routes has a ready endpoint there",
        "Deploy or scale up what answers for it; `kubectl get endpointslices` shows it.", endpoints),
    _row("failover-certificates", Severity.ERROR, "the TLS Secrets that the standby's Gateways name are there and last",
        "Put the Secret there, or renew its certificate.", certificates),
    _row("failover-authority", Severity.ERROR, "both sides' meshes have the same root, where both declare a CA",
        "Plug in CAs of one root: docs/certificates.md.", authority),
    _row("failover-dns", Severity.ERROR, "the DNS record can be switched, and its TTL is short",
        "Correct failover.dns or the credentials.", dns),
    _row("failover-probes", Severity.WARNING, "the side that serves answers the probes",
        "Correct failover.probes; in an emergency this is no surprise.", probes),
    _row("failover-hook", Severity.ERROR, "the program that must succeed before a failover is there",
        "Correct failover.before.", hook),
    _row("failover-rehearsal", Severity.WARNING, "the failover was rehearsed in the last 90 days",
        "`sohistio failover --to NAME --rehearse` moves no traffic.", rehearsal),
)
# fmt: on


def acceptable() -> frozenset[str]:
    """The checks that `--accept` may name: without DNS credentials traffic cannot be moved at all."""
    return frozenset(check.name for check in READINESS) - {"failover-dns"}


def readiness_of(sides: Sides, accepted: AbstractSet[str]) -> Report:
    """All of them for a failover or a rehearsal, without those that are accepted by name."""
    standby = sides.pair.standby
    state = sides.observed.states.get(standby.environment.name)
    context = Context(standby, state, None, failover=sides)
    return Report(standby.environment.name, look(READINESS, context, accepted))
