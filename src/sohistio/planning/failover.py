"""Looks at both sides and at the DNS record, and plans a failover, a failback or a rehearsal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from sohistio.adapters.dns.adapter import DnsAdapter, Watch
from sohistio.adapters.dns.choose import dns_adapter
from sohistio.adapters.kubernetes.autoscalers import autoscaled
from sohistio.adapters.kubernetes.observe import observe
from sohistio.adapters.probe.https import check_authority
from sohistio.errors import RefusedError, SohistioError, UsageError
from sohistio.failover.dns import environment_of
from sohistio.failover.plans import Move, plan_move, plan_other_side, plan_rehearsal, plan_standing_by
from sohistio.failover.rules import check_two_clusters, drain_faults, faults_of
from sohistio.failover.world import Side, World, last_switch
from sohistio.model.ages import since
from sohistio.model.failover import FailoverSettings
from sohistio.model.fault import Fault
from sohistio.model.mode import Mode
from sohistio.model.monitoring import Part
from sohistio.model.record import Record
from sohistio.model.state import ClusterState
from sohistio.plan.plan import Plan
from sohistio.planning.libraries import load_libraries
from sohistio.planning.planned import Planned, Refused
from sohistio.planning.reads import or_refused, recorded
from sohistio.planning.session import Session, Where
from sohistio.planning.without_azure import without_azure
from sohistio.system.parallel import in_time
from sohistio.system.times import seconds_since_1970

_CLOCKS_SECONDS = 5
SIDE_SECONDS = 15.0
"""For the first look at a side: one that traffic leaves may be away, and stops nothing."""
_SILENT_SECONDS = 3.0
_NO_WAY = "Check the network, the login and the kubeconfig (--kubeconfig, --context)."


@dataclass(frozen=True, slots=True)
class Accepted:
    """Rules that the person on call accepts by name, and why."""

    rules: frozenset[str] = frozenset()
    because: str = ""

    def line(self) -> str:
        """For the record."""
        return f"{', '.join(sorted(self.rules))}: {self.because}" if self.rules else ""


@dataclass(frozen=True, slots=True)
class Pair:
    """An environment and its standby, each with a session of its own.

    `silent` are those whose cluster did not answer at the first look: the next ones wait less for it.
    """

    primary: Session
    standby: Session
    accepted: Accepted = field(default_factory=Accepted)
    silent: set[str] = field(default_factory=set)

    @property
    def settings(self) -> FailoverSettings:
        """What the standby's environment says of a failover. Raises UsageError where it says nothing."""
        environment = self.standby.environment
        if environment.failover is None:
            raise UsageError(
                f"the environment {environment.name} does not say how traffic gets there",
                todo="Declare failover (the DNS record, the probes) in its environment.yaml: "
                "docs/failover.md#before-you-need-it.",
            )
        return environment.failover.settings(self.standby.root / environment.name)

    def checked_settings(self) -> FailoverSettings:
        """The same, with the files that they name: before anything is asked. Raises UsageError."""
        settings = self.settings
        for probe in settings.probes:
            check_authority(probe)
        return settings

    def dns(self, watch: Watch) -> DnsAdapter:
        """What changes the DNS record, through the standby's login."""
        return dns_adapter(self.settings.dns, self.standby.azure_login, watch)


@dataclass(frozen=True, slots=True)
class Observed:
    """The world, with each side's state and record; None where its cluster could not be read."""

    world: World
    states: dict[str, ClusterState]
    records: dict[str, Record | None]


def pair_for(session: Session) -> Pair | None:
    """A standby with the environment it stands by for; None where it does not say how traffic gets to it."""
    environment = session.environment
    if environment.standby_of is None or environment.failover is None:
        return None
    given = session.where
    where = Where(environment.standby_of, given.environments, auth=given.auth, bundle=given.bundle)
    return Pair(Session(where, session.say), session)


def look(pair: Pair) -> Observed:
    """Both sides side by side, then the record. Raises RefusedError where the record cannot be read."""
    sessions = {session.environment.name: session for session in (pair.primary, pair.standby)}
    load_libraries(sessions.values())
    patience = {name: _SILENT_SECONDS if name in pair.silent else SIDE_SECONDS for name in sessions}
    found = in_time({name: (partial(_side, session), patience[name]) for name, session in sessions.items()})
    sides, states, records = {}, {}, {}
    for name, session in sessions.items():
        late = f"no answer within {patience[name]:.0f} s"
        side, state, record = found.get(name) or (_unread(session, late), None, None)
        sides[name], records[name] = side, record
        if not side.is_reachable:
            pair.silent.add(name)
        if state is not None:
            states[name] = state
    primary, standby = sides[pair.primary.environment.name], sides[pair.standby.environment.name]
    check_two_clusters(primary, standby)
    record_name = pair.settings.dns.record
    answer = pair.dns(Watch(said=pair.standby.say)).current()
    addresses = {name: side.address for name, side in sides.items() if side.address}
    named = environment_of(record_name, answer, addresses)
    return Observed(World(primary, standby, str(record_name), answer, named), states, records)


def _side(session: Session) -> tuple[Side, ClusterState | None, Record | None]:
    environment = session.environment
    try:
        state = observe(session.api)
        if state.unreadable:
            return _unread(session, state.unreadable[0]), None, None
        record = recorded(session)
        least = {item.deployment: item.least for item in environment.gateways}
        expected = tuple(least)
        scaled = or_refused("the autoscalers could not be read", lambda: autoscaled(session.api, expected))
    except SohistioError as error:
        unread = _unread(session, error.brief())
        return replace(unread, hint=f"{error.todo} {unread.hint}".strip()), None, None
    ingress = next((item for item in environment.gateways if item.kind == "ingress"), None)
    services = [
        item
        for item in state.gateway_services
        if ingress is not None and (item.ref.namespace, item.ref.name) == (ingress.namespace, ingress.name)
    ]
    side = Side(
        environment=environment.name,
        server=session.api.server,
        address=next((address for item in services for address in item.addresses), ""),
        pinned=environment.ingress_address or "",
        version=next((item.image_version for item in state.istiods), ""),
        gateways=tuple(item for item in state.mesh_deployments if item.ref in expected),
        expected=expected,
        minimums=least | scaled.minimums,
        maximums=scaled.maximums,
        mark=record.failover if record else None,
    )
    return side, state, record


def _unread(session: Session, problem: str) -> Side:
    pinned = session.environment.ingress_address or ""
    return Side(session.environment.name, address=pinned, pinned=pinned, problem=problem, hint=without_azure(session))


def plan_failover(pair: Pair, move: Move, seen: Observed | None = None) -> Planned:
    """Traffic to `move.to`, on that side's cluster. Raises RefusedError, with the state of the world."""
    seen = seen or look(pair)
    faults = faults_of(seen.world, move.to, pair.settings, _since_switch(seen.world))
    plan = plan_move(seen.world, replace(move, refusal=_refusal(pair, faults), accepted=pair.accepted.line()))
    return _planned(pair, move.to, seen, plan, faults, lambda: plan_failover(pair, move))


def plan_rehearse(pair: Pair, seen: Observed | None = None) -> Planned:
    """A rehearsal on the standby's cluster."""
    seen = seen or look(pair)
    standby = pair.standby.environment.name
    faults = faults_of(seen.world, standby, pair.settings, _since_switch(seen.world))
    if seen.world.named == standby:
        what = f"{standby} serves: DNS leads there"
        faults = (*faults, Fault(what, "A rehearsal is for a standby that is off.", rule="serving"))
    monitored = Part.PROMETHEUS in pair.standby.environment.monitoring.data().parts
    plan = plan_rehearsal(seen.world, _refusal(pair, faults), monitored=monitored)
    return _planned(pair, standby, seen, plan, faults, lambda: plan_rehearse(pair))


def plan_stand_by(pair: Pair, mode: Mode) -> Planned:
    """The standby off again, on its cluster; refused where that would leave nobody to serve."""
    seen = look(pair)
    standby = pair.standby.environment.name
    faults = drain_faults(seen.world, standby) if mode is Mode.FAILBACK else ()
    if mode is not Mode.FAILBACK and seen.world.named == standby:
        faults = (Fault(f"DNS leads to {standby}", "Its gateways stay on.", rule="both-off"),)
    plan = plan_standing_by(seen.world, mode, _refusal(pair, faults), _old_answers(pair, seen.world))
    return _planned(pair, standby, seen, plan, faults, lambda: plan_stand_by(pair, mode))


def plan_left(pair: Pair, *, drain: bool) -> Planned:
    """What is done on the primary's cluster once its traffic has left."""
    mode = Mode.FAILOVER
    seen = look(pair)
    primary = pair.primary.environment.name
    faults = drain_faults(seen.world, primary)
    plan = plan_other_side(
        seen.world, mode, drain=drain, refusal=_refusal(pair, faults), old_answers=_old_answers(pair, seen.world)
    )
    return _planned(pair, primary, seen, plan, faults, lambda: plan_left(pair, drain=drain))


def _since_switch(world: World) -> float | None:
    """Seconds since a run switched the DNS record, by either cluster's record."""
    return since(time.time(), seconds_since_1970(last_switch(world)))


def _old_answers(pair: Pair, world: World) -> int:
    """For how many more seconds name servers and clients may give the address from before the last switch."""
    passed = _since_switch(world)
    if passed is None:
        return 0
    # The name servers have been asked: only answers that clients keep are left.
    kept = max(pair.settings.dns.max_ttl, world.answer.ttl) + _CLOCKS_SECONDS
    return max(0, round(kept - passed))


def _refusal(pair: Pair, faults: tuple[Fault, ...]) -> str:
    return "; ".join(fault.message for fault in faults if fault.rule not in pair.accepted.rules)


def _planned(
    pair: Pair, on: str, seen: Observed, plan: Plan, faults: tuple[Fault, ...], again: Callable[[], Planned]
) -> Planned:
    session = pair.standby if on == pair.standby.environment.name else pair.primary
    state = seen.states.get(on)
    if state is None:
        side = seen.world.side(on)
        raise RefusedError(
            f"the cluster of {on} cannot be read: {side.problem}",
            details=seen.world.lines(),
            todo=f"{side.hint or _NO_WAY} Nothing was changed.",
        )
    hints = " ".join(dict.fromkeys(fault.hint for fault in faults if fault.rule not in pair.accepted.rules))
    refused = Refused(f"{hints} Nothing was changed.".strip(), seen.world.lines())
    return Planned(session, plan, state, again, seen.records.get(on), refused=refused)
