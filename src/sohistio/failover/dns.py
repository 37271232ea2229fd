"""What the DNS record shows, judged before it is switched. Pure.

A record is only switched from one known address to the other: anything else was decided by somebody, who would be
overruled without knowing.
"""

from __future__ import annotations

from collections.abc import Mapping

from sohistio.errors import RefusedError
from sohistio.model.dns import DnsRecord, RecordAnswer
from sohistio.model.durations import duration_of

_CORRECT = "Correct the record, or failover.dns in environment.yaml."


def environment_of(record: DnsRecord, answer: RecordAnswer, addresses: Mapping[str, str]) -> str:
    """The environment that the record leads to; `addresses` has the ingress address of each side by environment name.

    Raises RefusedError that says what the record shows where it is not exactly one A record with one of them.
    """
    known = tuple(f"the ingress address of {name}: {address}" for name, address in addresses.items())
    if len(set(addresses.values())) < len(addresses):
        raise RefusedError(
            "both environments have the same ingress address: there is nothing to switch",
            details=known,
            todo="Compare their ingressAddress, or their Services.",
        )
    details = (f"{record} now: {answer}", *known)
    if answer.alias:
        raise RefusedError(f"{record} is not an A record but an alias (CNAME)", details=details, todo=_CORRECT)
    if not answer.addresses:
        raise RefusedError(
            f"{record} has no A record in the zone {record.zone}",
            details=details,
            todo="Create it with the address that serves now, or correct failover.dns in environment.yaml.",
        )
    if len(answer.addresses) > 1:
        raise RefusedError(
            f"{record} has {len(answer.addresses)} A records: a failover switches one",
            details=details,
            todo=_CORRECT,
        )
    for name, address in addresses.items():
        if answer.addresses == (address,):
            return name
    raise RefusedError(
        f"{record} shows an address of neither {' nor '.join(addresses)}: {answer.addresses[0]}",
        details=details,
        todo=f"Find out who set it: it may be on purpose. {_CORRECT}",
    )


def ttl_warning(record: DnsRecord, answer: RecordAnswer, max_ttl: int) -> str | None:
    """What to say of a TTL above the limit, both in seconds; None where it is within it.

    Lowering it during a failover helps nobody: clients keep the old answer for as long as it said.
    """
    if answer.ttl <= max_ttl:
        return None
    return (
        f"the TTL of {record} is {answer.ttl} s, above {duration_of(max_ttl)}: for so long clients may go on with the "
        "old address; lower it well before the next failover"
    )
