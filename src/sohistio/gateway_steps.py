"""Steps on the gateways' Services. Frozen data, as in steps.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sohistio.risk import Risk
from sohistio.state import ObjectRef


@dataclass(frozen=True, slots=True)
class HandOverAddress:
    """Delete the Service `giver`, which has a static address, and wait until the Service `taker` has got it.

    Azure gives an address once: until `giver` is gone `taker` waits, and in between nobody answers at it.
    """

    risk: ClassVar[Risk] = Risk.DESTROY
    id: str
    summary: str
    address: str
    giver: ObjectRef
    taker: ObjectRef


@dataclass(frozen=True, slots=True)
class AwaitAddresses:
    """Wait until each Service has its address: Azure moves it well after the apply. The verification says if not."""

    risk: ClassVar[Risk] = Risk.READ
    id: str
    summary: str
    addresses: tuple[tuple[ObjectRef, str], ...]
