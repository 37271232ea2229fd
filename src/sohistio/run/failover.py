"""Executors of a failover: prove a side with real requests, switch the DNS record, prove the name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from sohistio.adapters.dns.adapter import DnsAdapter, Watch
from sohistio.adapters.dns.resolve import await_everywhere, resolve, resolve_everywhere
from sohistio.adapters.probe.https import Answered, ask
from sohistio.errors import FailedError, RefusedError
from sohistio.model.dns import DnsSettings, NameServer, RecordAnswer
from sohistio.model.failover import FailoverSettings
from sohistio.model.health import Health, ServedRequests
from sohistio.model.readiness import Readiness
from sohistio.plan.failover_steps import AwaitOldAnswers, ProveName, ProveSide, SwitchRecord
from sohistio.run.first_answer import FirstAnswer
from sohistio.run.wait import Waiting
from sohistio.system.parallel import side_by_side

# New gateways need a moment until they have their configuration; so long a side has for its first good answer.
_PROOF_SECONDS = 60.0
_PAUSE_SECONDS = 0.5
_NAME_SECONDS = 1.0


class Moment(StrEnum):
    """What the recovery time is split by."""

    SCALED = "scaled"
    PROVEN = "proven"
    SWITCHED = "switched"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What moves traffic: the environment's settings, the adapter that changes the record, and the commands that lead
    `forward` and `back` where the run fails.

    `proof_seconds` is how long a side has to prove itself; `proven` are the addresses that did, `touched` the records
    that were switched, or may have been; `moments` keeps when what happened, in seconds since the epoch: for the
    report. `first_answer` measures one of them from the switch on, whatever the run waits for. `watched` is what a
    watch found, as far as it came; `readiness` what was found of the standby before. `served` asks an environment's
    Prometheus how all requests through its gateways end, for those that name one.
    """

    settings: FailoverSettings
    dns: Callable[[Watch], DnsAdapter]
    forward: str
    back: str
    proof_seconds: float = _PROOF_SECONDS
    moments: dict[Moment, float] = field(default_factory=dict)
    proven: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    first_answer: FirstAnswer = field(default_factory=FirstAnswer)
    watched: list[Health] = field(default_factory=list)
    readiness: Readiness | None = None
    served: Mapping[str, Callable[[], ServedRequests | None]] = field(default_factory=dict)

    def happened(self, moment: Moment) -> None:
        """Note that it happened just now; the first time counts."""
        self.moments.setdefault(moment, time.time())


def prove_side(traffic: Traffic, waiting: Waiting, step: ProveSide) -> None:
    """Raises FailedError with what each probe got where not enough answers in a row are right in time."""
    traffic.happened(Moment.SCALED)
    _prove(traffic, waiting, step.environment, step.address)
    traffic.proven.add(step.address)
    traffic.happened(Moment.PROVEN)


def switch_record(traffic: Traffic, waiting: Waiting, step: SwitchRecord) -> None:
    """Raises FailedError: where the record is not any more what the plan has, nothing is written."""
    if step.address not in traffic.proven:
        raise AssertionError("a side is proven before the record leads there")  # the plan's order says so
    adapter = traffic.dns(Watch(waiting.hold.stop, waiting.observer.note))
    now = adapter.current()
    if ", ".join(now.addresses) != step.before:
        raise FailedError(
            f"{step.record} was changed by somebody else meanwhile; sohistio has not written to it",
            details=(f"when it was planned: {step.before}", f"now: {now}"),
            todo="Find out who changed it and why, then run it again.",
        )
    waiting.pause(0)
    traffic.touched.add(step.record)
    try:
        adapter.apply(now, step.address)
    except RefusedError:  # then it is as it was, for certain
        traffic.touched.discard(step.record)
        raise
    traffic.happened(Moment.SWITCHED)
    _ask_by_name(traffic, waiting, step, traffic.settings.dns.settle_seconds(now))


def _ask_by_name(traffic: Traffic, waiting: Waiting, step: SwitchRecord, seconds: float) -> None:
    """Measure the first good answer by name: a name server gives the new address, and the requests there are right."""
    record = traffic.settings.dns.record

    def leads_there(server: NameServer) -> bool:
        if resolve(record, server, _NAME_SECONDS).addresses != (step.address,):
            return False
        # One after the other: a pool of threads must not be begun while the program ends.
        probes = (probe.expecting(step.environment) for probe in traffic.settings.probes)
        return not any(ask(probe, step.address).fault for probe in probes)

    def answered() -> None:
        traffic.happened(Moment.ANSWERED)
        waiting.observer.note(f"the first good answer by name: {step.environment} answers for {record}")

    questions = [partial(leads_there, server) for server in traffic.settings.dns.servers]
    traffic.first_answer.begin(questions, answered, seconds + traffic.proof_seconds)


def prove_name(traffic: Traffic, waiting: Waiting, step: ProveName) -> None:
    """Every name server answers with the address, then the requests are right. Raises FailedError.

    Where this run switched the record, its first good answer is measured since then.
    """
    dns = traffic.settings.dns
    watch = Watch(waiting.hold.stop, waiting.observer.note)
    adapter = traffic.dns(watch)
    servers = _answering(dns, watch)
    answer = await_everywhere(dns.record, servers, step.address, dns.settle_seconds(adapter.current()), watch)
    _prove(traffic, waiting, step.environment, answer.addresses[0], lambda: traffic.happened(Moment.ANSWERED))


def _answering(dns: DnsSettings, watch: Watch) -> tuple[NameServer, ...]:
    """The name servers that answer at all: one in the dead region must not keep a failover from ending.

    All of them where none does.
    """
    said = resolve_everywhere(dns.record, dns.servers)
    silent = [server for server, answer in said.items() if not isinstance(answer, RecordAnswer)]
    if not silent or len(silent) == len(dns.servers):
        return dns.servers
    for server in silent:
        watch.said(f"the name server {server} does not answer: it is not waited for")
    return tuple(server for server in dns.servers if server not in silent)


def await_old_answers(waiting: Waiting, step: AwaitOldAnswers) -> None:
    """Sleep it out; the run's lock stays held."""
    end = time.monotonic() + step.seconds
    while (left := end - time.monotonic()) > 0:
        waiting.pause(min(1.0, left))


def _prove(
    traffic: Traffic, waiting: Waiting, environment: str, address: str, answered_well: Callable[[], None] = lambda: None
) -> None:
    """`count` good answers in a row from every probe, within the time for a proof; each is reported."""
    probes = traffic.settings.probes
    in_a_row = [0] * len(probes)
    last: dict[str, str] = {}
    what = f"{environment} does not answer at {address} as the probes say"
    with waiting.at_most(traffic.proof_seconds, what, lambda: _lines(last)) as limit:
        while True:
            for number, answered in enumerate(one_round(traffic, environment, address)):
                probe, good = probes[number], not answered.fault
                in_a_row[number] = in_a_row[number] + 1 if good else 0
                if answered.fault and last.get(probe.url) != answered.fault:
                    waiting.observer.note(f"{probe.url} at {address}: {answered.fault}")
                last[probe.url] = answered.fault
                if good:
                    answered_well()
            if all(count >= probe.count for count, probe in zip(in_a_row, probes, strict=True)):
                return
            if limit.passed:
                raise FailedError(
                    f"{what}, within {traffic.proof_seconds:.0f} s",
                    details=_lines(last),
                    todo="Fix what the probes got.",
                )
            waiting.pause(0 if all(in_a_row) else _PAUSE_SECONDS)


def one_round(traffic: Traffic, environment: str, address: str) -> list[Answered]:
    """One request of every probe, in their order."""
    probes = [probe.expecting(environment) for probe in traffic.settings.probes]
    return list(side_by_side(lambda probe: ask(probe, address), probes))


def _lines(last: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{url}: {fault}" for url, fault in last.items() if fault)
