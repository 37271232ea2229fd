"""What name servers say of the record, each asked directly: no cache of this machine is in between."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sohistio.adapters.dns.adapter import Watch
from sohistio.adapters.dns.wire import NoAnswerError, ask
from sohistio.errors import FailedError, InterruptedRunError, RefusedError
from sohistio.model.dns import DnsRecord, NameServer, RecordAnswer
from sohistio.system.parallel import in_time

if TYPE_CHECKING:
    from dns.message import Message

ANSWER_SECONDS = 5.0
"""How long one name server has for one answer."""
_POLL_SECONDS = 1.0

Said = Mapping[NameServer, RecordAnswer | NoAnswerError]


def resolve(record: DnsRecord, server: NameServer, seconds: float = ANSWER_SECONDS) -> RecordAnswer:
    """What one name server says of the record, asked with recursion desired. Raises NoAnswerError.

    A name that does not exist is an answer without addresses. The guard is empty: an answer has none.
    """
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rdatatype

    answer = ask(server, dns.message.make_query(f"{record.name}.", dns.rdatatype.A), seconds)
    code = answer.rcode()
    if code not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
        raise NoAnswerError(server, f"it answered {dns.rcode.to_text(code)}")
    # Neither its own zone nor looked up elsewhere: what it lacks says nothing of the record.
    if not answer.answer and not answer.flags & (dns.flags.AA | dns.flags.RA):
        raise NoAnswerError(server, f"it does not have the zone {record.zone}, and asks no others")
    return answer_of(record, answer)


def answer_of(record: DnsRecord, message: Message) -> RecordAnswer:
    """The record in a DNS message's answer section."""
    import dns.name
    import dns.rdataclass
    import dns.rdatatype

    name, section = dns.name.from_text(record.name), message.answer
    if alias := message.get_rrset(section, name, dns.rdataclass.IN, dns.rdatatype.CNAME):
        return RecordAnswer((), alias.ttl, alias=str(alias[0].target).rstrip("."))
    found = message.get_rrset(section, name, dns.rdataclass.IN, dns.rdatatype.A)
    if found is None:
        return RecordAnswer(())
    return RecordAnswer(tuple(sorted(item.address for item in found)), found.ttl)


def resolve_everywhere(record: DnsRecord, servers: Sequence[NameServer], seconds: float = ANSWER_SECONDS) -> Said:
    """What each name server says, asked side by side, within `seconds` in all; an error stands for no answer."""

    def asked(server: NameServer) -> RecordAnswer | NoAnswerError:
        try:
            return resolve(record, server, seconds)
        except NoAnswerError as error:
            return error

    found = in_time({str(server): (partial(asked, server), seconds + 1) for server in servers})
    silent = f"nothing came within {seconds:g} s"
    return {server: found.get(str(server), NoAnswerError(server, silent)) for server in servers}


def resolve_agreed(record: DnsRecord, servers: Sequence[NameServer], seconds: float = ANSWER_SECONDS) -> RecordAnswer:
    """What all name servers say, with the longest TTL. Raises RefusedError where one is silent or they disagree."""
    said = resolve_everywhere(record, servers, seconds)
    answers = []
    for item in said.values():
        if isinstance(item, NoAnswerError):
            raise item
        answers.append(item)
    if len({(item.addresses, item.alias) for item in answers}) > 1:
        raise RefusedError(
            f"the name servers disagree about {record}",
            details=lines_of(said),
            todo="After a change of the record, wait for its TTL; else compare the servers' zones.",
        )
    return max(answers, key=lambda item: item.ttl)


def await_everywhere(
    record: DnsRecord, servers: Sequence[NameServer], address: str, seconds: float, watch: Watch
) -> RecordAnswer:
    """Wait until every name server answers with exactly this IPv4 address; returns the answer with the longest TTL.

    A line is said whenever the answers change. Raises FailedError after `seconds`, with what each server says, and
    InterruptedRunError once `watch.stop` is set.
    """
    end = time.monotonic() + seconds
    shown: tuple[str, ...] = ()
    while True:
        said = resolve_everywhere(record, servers, min(ANSWER_SECONDS, max(1.0, end - time.monotonic())))
        lines = tuple(f"{server}: {_short(item)}" for server, item in said.items())
        if lines != shown:
            shown = lines
            watch.said(f"{record} at {'; '.join(lines)}")
        answers = [item for item in said.values() if isinstance(item, RecordAnswer) and item.addresses == (address,)]
        if len(answers) == len(servers):
            return max(answers, key=lambda item: item.ttl)
        if watch.stop.is_set():
            raise InterruptedRunError(
                f"interrupted while the name servers were asked for {record}", details=lines_of(said)
            )
        if time.monotonic() >= end:
            raise FailedError(
                f"not every name server answers {address} for {record} after {seconds:g} s",
                details=lines_of(said),
                todo="A server that keeps the old address may cache it (its TTL), or not get the zone's changes.",
            )
        watch.stop.wait(min(_POLL_SECONDS, max(0.0, end - time.monotonic())))


def lines_of(said: Said) -> tuple[str, ...]:
    """What each name server says, a line for each."""
    return tuple(f"{server}: {item.why if isinstance(item, NoAnswerError) else item}" for server, item in said.items())


def _short(item: RecordAnswer | NoAnswerError) -> str:
    """Without the TTL, which changes all the time."""
    if isinstance(item, NoAnswerError):
        return "no answer"
    return f"alias of {item.alias}" if item.alias else ", ".join(item.addresses) or "no A record"
