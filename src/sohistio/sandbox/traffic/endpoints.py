"""Where a load balancer sends a new connection, from the Service's EndpointSlices. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sohistio.sandbox.traffic.addresses import loopback_of

Endpoint = tuple[str, int]
"""An address and a port where a pod's program listens on this machine."""

SERVICE_LABEL = "kubernetes.io/service-name"


def endpoints_of(slices: Iterable[Mapping[str, Any]], port_name: str) -> tuple[Endpoint, ...]:
    """The endpoints behind a port of a Service: the ready ones, or else those that end but still serve.

    kube-proxy chooses so too. Endpoints that are no pods of the sandbox are left out.
    """
    ready: set[Endpoint] = set()
    serving: set[Endpoint] = set()
    for found in slices:
        target = next(
            (port.get("port") for port in found.get("ports") or [] if port.get("name", "") == port_name), None
        )
        if target is None:
            continue
        for endpoint in found.get("endpoints") or []:
            conditions = endpoint.get("conditions") or {}
            for address in endpoint["addresses"]:
                try:
                    place = (loopback_of(address), int(target))
                except ValueError:
                    continue
                if conditions.get("ready", True):
                    ready.add(place)
                elif conditions.get("serving"):
                    serving.add(place)
    return tuple(sorted(ready or serving))


class Lagging:
    """Endpoints as a load balancer knows them whose probes are slow: one that goes is dropped `seconds` later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last_listed: dict[Endpoint, float] = {}

    def known(self, listed: tuple[Endpoint, ...], now: float) -> tuple[Endpoint, ...]:
        """The listed ones, and those that were listed less than `seconds` before `now`."""
        self._last_listed |= dict.fromkeys(listed, now)
        late = [place for place, at in self._last_listed.items() if place not in listed and now - at >= self._seconds]
        for place in late:
            del self._last_listed[place]
        return tuple(sorted(self._last_listed))
