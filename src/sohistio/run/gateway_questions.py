"""What a gateway is asked while its pods are replaced: requests from this machine to the address that clients use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sohistio.adapters.kubernetes.paths import path_of
from sohistio.adapters.probe.https import Answered, ask
from sohistio.environments.istiooperator import INGRESS_GATEWAY
from sohistio.model.failover import Probe
from sohistio.model.state import ISTIO_NAMESPACE, ObjectRef
from sohistio.system.parallel import side_by_side

if TYPE_CHECKING:
    from sohistio.run.tools import Tools
    from sohistio.run.wait import Waiting

_LAST = 20
"""Of so many answers of a probe …"""
_FAULTS = 2
"""… so many may not be wrong: one request may be lost on its way from this machine."""


class Questions:
    """The probes of one gateway at one address. It is false where there is nothing to judge it by.

    `ask` sends one request on a connection of its own.
    """

    def __init__(self, probes: Sequence[Probe], address: str, ask: Callable[[Probe, str], Answered]) -> None:
        self._address = address
        self._ask = ask
        self._faults: dict[Probe, deque[str]] = {probe: deque(maxlen=_LAST) for probe in probes if address}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def begin(self) -> tuple[str, ...]:
        """Before the first pod goes: a probe that fails by now judges nothing. Returns what is said of those."""
        wrong = {probe: answered.fault for probe, answered in self._round() if answered.fault}
        for probe in wrong:
            del self._faults[probe]
        return tuple(
            f"{probe.url} at {self._address} fails already, so it judges nothing: {fault}"
            for probe, fault in wrong.items()
        )

    def ask(self, times: int = 1) -> None:
        """Each probe, so many times, or until one has failed too often."""
        for _ in range(times):
            for probe, answered in self._round():
                self._faults[probe].append(answered.fault)
            if self.failures():
                return

    @property
    def said(self) -> str:
        """How it went, where it went well."""
        asked = sum(len(faults) for faults in self._faults.values())
        return f"its probes are answered as they should be ({asked} requests)"

    def failures(self) -> tuple[str, ...]:
        """What is said of the probes that have failed too often; empty where none has."""
        return tuple(
            f"{probe.url} at {self._address}: {len(wrong)} of {len(faults)} requests failed: {wrong[-1]}"
            for probe, faults in self._faults.items()
            if len(wrong := [fault for fault in faults if fault]) >= _FAULTS
        )

    def _round(self) -> list[tuple[Probe, Answered]]:
        probes = list(self._faults)
        return list(zip(probes, side_by_side(lambda probe: self._ask(probe, self._address), probes), strict=True))


def questions_for(tools: Tools, waiting: Waiting, gateway: ObjectRef) -> Questions:
    """A gateway that has an address of its own is asked there; one that has none is judged through the ingress."""
    address = _address(waiting, gateway)
    probes = tools.probes.ingress if address else tools.probes.egress
    if probes and not address:
        address = _address(waiting, ObjectRef("Deployment", ISTIO_NAMESPACE, INGRESS_GATEWAY))
    return Questions([probe.expecting(tools.environment) for probe in probes], address, ask)


def _address(waiting: Waiting, gateway: ObjectRef) -> str:
    service = waiting.api.get(path_of(ObjectRef("Service", gateway.namespace, gateway.name)))
    given = ((service or {}).get("status") or {}).get("loadBalancer") or {}
    return next((str(item["ip"]) for item in given.get("ingress") or () if item.get("ip")), "")
