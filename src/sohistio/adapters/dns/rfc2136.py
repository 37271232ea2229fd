"""Adapter: dynamic updates (RFC 2136) signed with TSIG (RFC 8945), as BIND, Knot, PowerDNS and Infoblox take them.

The prerequisite of an update is the whole record set as it was read, so that the name server itself refuses where it
was changed meanwhile. Reads are signed as well: a name server with views then shows the one that updates would change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sohistio.adapters.dns.adapter import RecordChangedError
from sohistio.adapters.dns.resolve import ANSWER_SECONDS, answer_of
from sohistio.adapters.dns.tsig_key import read_key
from sohistio.adapters.dns.wire import NoAnswerError, send
from sohistio.errors import FailedError, RefusedError
from sohistio.model.dns import DnsRecord, RecordAnswer, Rfc2136
from sohistio.system.lazy import lazy

if TYPE_CHECKING:
    from dns.message import Message
    from dns.tsig import Key
    from dns.update import UpdateMessage


class Rfc2136Dns:
    """The record in a zone of a primary name server."""

    def __init__(self, record: DnsRecord, settings: Rfc2136, seconds: float = ANSWER_SECONDS) -> None:
        self.record = record
        self.settings = settings
        self._seconds = seconds

    def current(self) -> RecordAnswer:
        """As `DnsAdapter` has it; the addresses are the guard."""
        import dns.flags
        import dns.message
        import dns.rcode
        import dns.rdatatype

        answer = self._exchange(dns.message.make_query(f"{self.record.name}.", dns.rdatatype.A))
        code = answer.rcode()
        if code not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            raise NoAnswerError(self.settings.server, f"it answered {dns.rcode.to_text(code)}")
        if not answer.flags & dns.flags.AA:
            raise self._not_its_zone()
        return answer_of(self.record, answer)

    def check_rights(self) -> None:
        """Send an update that adds what is there already: it is judged like any other, and the zone stays as it is."""
        now = self.current()
        if not now.addresses:
            raise RefusedError(
                f"whether the key {self.settings.key_name} can change {self.record} cannot be tried",
                details=(f"{self.record} now: {now}",),
                todo="Create the A record first.",
            )
        update = self._update(now)
        for address in now.addresses:
            update.add(f"{self.record.name}.", now.ttl, "A", address)
        self._judge(self._exchange(update), now)

    def describe(self, to: str) -> str:
        """As `DnsAdapter` has it."""
        return (
            f"set the A record {self.record} to {to} by a dynamic update at {self.settings.server}, signed with the "
            f"key {self.settings.key_name}, if nobody else changes it meanwhile"
        )

    def apply(self, expected: RecordAnswer, to: str) -> RecordAnswer:
        """As `DnsAdapter` has it."""
        update = self._update(expected)
        update.replace(f"{self.record.name}.", expected.ttl, "A", to)
        try:
            answer = self._exchange(update)
        except NoAnswerError as error:
            if not error.asked:
                raise
            return self._after_silence(error, to)
        self._judge(answer, expected)
        try:
            now = self.current()
        except RefusedError:
            return RecordAnswer((to,), expected.ttl)  # carried out: the answer that says so was signed
        if now.addresses != (to,):
            raise FailedError(
                f"{self.settings.server} accepted the update, and yet does not show {to} for {self.record}",
                details=(f"now: {now}",),
                todo="Somebody else may have changed it since: compare the zone's journal or log.",
            )
        return now

    def _update(self, expected: RecordAnswer) -> UpdateMessage:
        """An update of the zone whose prerequisite is the record as it was read."""
        import dns.update

        update = dns.update.UpdateMessage(f"{self.record.zone}.")
        name = f"{self.record.name}."
        if expected.addresses:
            update.present(name, "A", *expected.addresses)
        else:
            update.absent(name, "A")
        return update

    @lazy
    def _key(self) -> Key:
        return read_key(self.settings)

    def _exchange(self, message: Message) -> Message:
        """The signed answer to a message that is signed here. Raises RefusedError."""
        import dns.exception
        import dns.tsig

        server, name = self.settings.server, self.settings.key_name
        message.use_tsig(self._key, algorithm=self._key.algorithm)
        try:
            return send(server, message, self._seconds)
        except dns.tsig.PeerBadKey:
            what, todo = f"does not know the key {name}", "Compare keyName and algorithm with the name server's key."
        except dns.tsig.PeerBadSignature:
            what, todo = f"rejects the signature of the key {name}", "Its secret is another one: compare keyFile."
        except dns.tsig.PeerBadTime:
            what, todo = "rejects the time of the signature", "Set the clocks: they must not differ by 5 minutes."
        except dns.tsig.PeerError as error:
            what, todo = f"does not accept the key {name}: {error}", "Compare key name, algorithm and secret."
        except dns.exception.DNSException as error:  # what it was asked for may be done all the same
            raise NoAnswerError(server, f"the signature of its answer is not good: {error}") from error
        raise RefusedError(f"the name server {server} {what}", todo=todo)

    def _judge(self, answer: Message, expected: RecordAnswer) -> None:
        """Raise what the name server's refusal means; an update is carried out as a whole or not at all."""
        from dns.rcode import Rcode

        server, key, zone = self.settings.server, self.settings.key_name, self.record.zone
        code = answer.rcode()
        details = (f"it answered {Rcode.to_text(code)}",)
        match code:
            case Rcode.NOERROR:
                return
            case Rcode.NXRRSET | Rcode.NXDOMAIN | Rcode.YXRRSET | Rcode.YXDOMAIN:
                raise RecordChangedError(self.record, expected, self.current())
            case Rcode.REFUSED:
                what = f"the key {key} lacks permission to change {self.record} at {server}"
                todo = f"Ask for it in the zone {zone} (BIND: update-policy or allow-update), A records of this name."
            case Rcode.NOTAUTH | Rcode.NOTZONE:
                raise self._not_its_zone()
            case Rcode.NOTIMP | Rcode.FORMERR:
                what, todo = f"{server} takes no dynamic updates", "Name the primary that does, or use another adapter."
            case _:
                what, todo = f"{server} could not change {self.record}", "Its log says why; nothing was changed."
        raise RefusedError(what, details=details, todo=todo)

    def _after_silence(self, error: NoAnswerError, to: str) -> RecordAnswer:
        """The update may have arrived although its answer did not: the record itself says."""
        try:
            now = self.current()
        except RefusedError as again:
            raise FailedError(
                f"whether {self.record} was changed is not known: {self.settings.server} gave no answer",
                details=(error.why, *(again.details or (again.what,))),
                todo=f"Ask for it, and run the failover again: dig @{self.settings.server.host} {self.record} A",
            ) from error
        if now.addresses == (to,):
            return now
        raise FailedError(
            f"{self.record} is unchanged so far: {self.settings.server} gave no answer to the update",
            details=(error.why, f"now: {now}"),
            todo="Look at it again in a minute, then run the failover again.",
        ) from error

    def _not_its_zone(self) -> RefusedError:
        return RefusedError(
            f"the name server {self.settings.server} is not the authority for the zone {self.record.zone}",
            todo="Set failover.dns.rfc2136.server to the zone's primary, and zone to what it has.",
        )
