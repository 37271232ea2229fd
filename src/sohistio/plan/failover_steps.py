"""Steps of a failover, a failback and a rehearsal. Frozen data, as in steps.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sohistio.model.failover_mark import Stage
from sohistio.model.state import ObjectRef
from sohistio.plan.risk import Risk


@dataclass(frozen=True, slots=True)
class MarkFailover:
    """Write into the cluster's record how far the failover is, so that no other run acts against it.

    `accepted` are the rules that somebody accepted by name, and why. `switched` is when the DNS record was switched, as
    another record has it; empty where the cluster's own is to say it.
    """

    risk: ClassVar[Risk] = Risk.CHANGE
    id: str
    summary: str
    stage: Stage
    accepted: str = ""
    switched: str = ""


@dataclass(frozen=True, slots=True)
class ProveSide:
    """Send the probes' requests to this address, with the name they are for, until enough answers in a row are right.

    `environment` is the one that must answer. Before the DNS record is switched to a side, that side must be proven.
    """

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    environment: str
    address: str


@dataclass(frozen=True, slots=True)
class SwitchRecord:
    """Switch the DNS record from one address to that of `environment`, if it still is as it was read."""

    risk: ClassVar[Risk] = Risk.DISRUPT
    id: str
    summary: str
    record: str
    before: str
    address: str
    environment: str


@dataclass(frozen=True, slots=True)
class ProveName:
    """Wait until every configured name server answers with the address, and send the probes' requests to the name."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    record: str
    environment: str
    address: str


@dataclass(frozen=True, slots=True)
class AwaitOldAnswers:
    """Wait until no client may have the old address any more, `seconds` after now: name servers give it for its TTL."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    seconds: int


@dataclass(frozen=True, slots=True)
class WatchHealth:
    """Send the probes' requests to the address for `seconds`, and look at the pods of `gateways`.

    What counts are errors, latency, ready pods and restarts.
    """

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    environment: str
    address: str
    seconds: int
    gateways: tuple[ObjectRef, ...] = ()
