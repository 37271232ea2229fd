"""The load balancers of Services: each listens at its Service's address and passes connections on to gateways' pods."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from sohistio.sandbox.load_balancers import address_of
from sohistio.sandbox.traffic.addresses import on_this_machine
from sohistio.sandbox.traffic.endpoints import SERVICE_LABEL, Endpoint, Lagging, endpoints_of
from sohistio.sandbox.traffic.relay import Relay

_BACKLOG = 1024
Frontend = tuple[str, int]
"""The address and port that clients connect to."""


class Balancers:
    """Follows the Services of type LoadBalancer.

    `lag` is how many seconds later a balancer drops an endpoint. `refused` is called once with an address that it
    cannot listen at, and why.
    """

    def __init__(self, lag: float, refused: Callable[[str, str], Awaitable[None]]) -> None:
        self._lag = lag
        self._refused = refused
        self._listening: dict[Frontend, asyncio.Server] = {}
        self._endpoints: dict[Frontend, tuple[Endpoint, ...]] = {}
        self._lagging: dict[Frontend, Lagging] = {}
        self._turn = itertools.count()
        self._troubles: dict[str, str] = {}

    async def follow(self, services: Iterable[Mapping[str, Any]], slices: Iterable[Mapping[str, Any]]) -> None:
        """Listen where there are endpoints, and nowhere else: without one, connections are refused."""
        now = time.monotonic()
        listed = frontends(services, list(slices))
        self._lagging = {place: self._lagging.get(place) or Lagging(self._lag) for place in listed}
        known = {place: self._lagging[place].known(endpoints, now) for place, endpoints in listed.items()}
        for place, endpoints in known.items():
            if endpoints != self._endpoints.get(place, ()):
                print(f"load balancer {place[0]}:{place[1]}:", *(f"{ip}:{port}" for ip, port in endpoints), flush=True)
        self._endpoints = known
        for place in [place for place in self._listening if not known.get(place)]:
            self._listening.pop(place).close()  # connections that are open stay open
        for place, endpoints in known.items():
            if endpoints and place not in self._listening:
                await self._listen(place)

    async def _listen(self, place: Frontend) -> None:
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(lambda: Relay(lambda: self._choose(place)), *place, backlog=_BACKLOG)
        except OSError as error:  # another program, or another sandbox, has the address
            if place[0] not in self._troubles:
                self._troubles[place[0]] = str(error)
                print(f"load balancer {place[0]}:{place[1]}: {error}", flush=True)
                await self._refused(place[0], str(error))
            return
        self._listening[place] = server
        self._troubles.pop(place[0], None)

    def _choose(self, place: Frontend) -> Endpoint | None:
        endpoints = self._endpoints.get(place)
        return endpoints[next(self._turn) % len(endpoints)] if endpoints else None


def frontends(
    services: Iterable[Mapping[str, Any]], slices: list[Mapping[str, Any]]
) -> dict[Frontend, tuple[Endpoint, ...]]:
    """The endpoints behind each address and port of LoadBalancer Services that this machine can listen at."""
    found: dict[Frontend, tuple[Endpoint, ...]] = {}
    for service in services:
        metadata, address = service["metadata"], address_of(service)
        if service["spec"].get("type") != "LoadBalancer" or not on_this_machine(address):
            continue
        of_service = [
            candidate
            for candidate in slices
            if candidate["metadata"]["namespace"] == metadata["namespace"]
            and (candidate["metadata"].get("labels") or {}).get(SERVICE_LABEL) == metadata["name"]
        ]
        for port in service["spec"].get("ports") or []:
            if port.get("protocol", "TCP") == "TCP":
                found[(address, int(port["port"]))] = endpoints_of(of_service, port.get("name", ""))
    return found
